// What the numeric tests share: runners over data in memory, and gradients read off the momentum.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tasks/task_runner.h"
#include "tests/numeric/reference.h"
#include "tests/support/memory_data.h"

namespace fx::test {

inline TaskSpec TrainTask(std::int64_t epochs = 1) {
  return {.name = {"train"}, .metrics = {"loss", "accuracy"}, .epochs = epochs, .batch_size = {}};
}

inline TaskSpec ValidateTask() {
  return {.name = {"validate"},
          .function = TaskFunction::kValidate,
          .metrics = {"accuracy", "loss"},
          .batch_size = {}};
}

inline TaskContext InRound(std::uint32_t round, std::string collaborator = "one") {
  return {.round = Round{round},
          .collaborator = {std::move(collaborator)},
          .progress = {},
          .cancelled = {}};
}

// A runner holding the plan's initial model. A failure is a bug of the test.
inline std::unique_ptr<TaskRunner> RunnerFor(const NetworkSpec& network, const DataLoader& data,
                                             std::int64_t batch) {
  auto runner = MakeTaskRunner(network, {.type = "", .dataset = "", .batch_size = batch}, data);
  FX_CHECK(runner.has_value());
  FX_CHECK((*runner)->SetParameters(InitialModel(network)).has_value());
  return *std::move(runner);
}

// The gradient of the mean loss at the initial model, as the runner computes it: after the first
// step of SGD with momentum on the full batch, the momentum is the gradient.
inline Model NativeGradient(NetworkSpec network, const DataLoader& data) {
  network.optimizer = {.learning_rate = 1e-3, .momentum = 0.5};
  const auto runner = RunnerFor(network, data, data.train().size());
  FX_CHECK(runner->Train(TrainTask(), InRound(0)).has_value());
  return runner->GetOptimizerState();
}

// ||actual - expected|| / ||expected||.
template <typename Actual, typename Expected>
double RelativeError(const Actual& actual, const Expected& expected) {
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double e = expected[i], d = static_cast<double>(actual[i]) - e;
    difference += d * d;
    norm += e * e;
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

}  // namespace fx::test
