// The runner against PyTorch (torch_judge.py), where that is installed: on networks drawn at
// random, with the same weights and batch, the loss, every gradient, and the weights after three
// steps of the optimizer. PyTorch computes in double precision.
//
// FX_TORCH_SEEDS=100-400 draws other networks than usual.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/random.h"
#include "tests/numeric/drawn_data.h"
#include "tests/numeric/network_words.h"
#include "tests/numeric/random_network.h"
#include "tests/numeric/trainer.h"
#include "tests/support/run_command.h"

namespace fx::test {
namespace {

using nlohmann::json;

constexpr double kTolerance = 1e-4;
constexpr std::int64_t kSteps = 3;

TaskSpec Task(TaskFunction function, std::int64_t epochs = 1) {
  return {.name = {"judged"},
          .function = function,
          .metrics = {"loss"},
          .epochs = epochs,
          .batch_size = {}};
}

struct Case {
  std::uint64_t seed;
  NetworkSpec network;
  DrawnData batch;
  Model parameters;
};

// No bias of 0 and no scale of 1: they would hide what uses them wrongly.
Model DrawParameters(const NetworkSpec& network, RandomStream draws) {
  Model model = InitialModel(network);
  for (NamedTensor& tensor : model) {
    for (float& value : tensor.tensor.floats()) {
      value += static_cast<float>(0.1 * draws.NextNormal());
      if (tensor.name.ends_with("running_var")) value = 0.5F + std::abs(value);
    }
  }
  return model;
}

Case MakeCase(std::uint64_t seed) {
  const NetworkSpec network = RandomNetwork(seed);
  RandomStream sizes(seed, "batch size");
  const auto size = static_cast<std::int64_t>(3 + sizes.Below(8));
  return {.seed = seed,
          .network = network,
          .batch = DrawnData(network, size, RandomStream(seed, "batch")),
          .parameters = DrawParameters(network, RandomStream(seed, "parameters"))};
}

// --- What PyTorch is told
// -------------------------------------------------------------------------

Shape Batched(const Case& c, const Shape& shape) {
  Shape batched = {c.batch.size()};
  batched.insert(batched.end(), shape.begin(), shape.end());
  return batched;
}

json ParametersOf(const Case& c) {
  json parameters = json::array();
  for (const NamedTensor& tensor : c.parameters) {
    const std::size_t dot = tensor.name.rfind('.');
    const auto layer = std::ranges::find(c.network.layers, tensor.name.substr(0, dot),
                                         [](const LayerSpec& spec) { return spec.name; });
    parameters.push_back({{"layer", layer - c.network.layers.begin()},
                          {"name", tensor.name.substr(dot + 1)},
                          {"shape", tensor.tensor.shape()}});
  }
  return parameters;
}

json Described(const Case& c) {
  json all = JsonOf(c.network);
  all["seed"] = c.seed;
  all["samples"] = Batched(c, c.batch.sample_shape());
  all["targets"] = Batched(c, c.batch.target_shape());
  all["parameters"] = ParametersOf(c);
  return all;
}

void Write(std::ofstream& file, std::span<const float> values) {
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size_bytes()));
}

std::vector<double> ReadDoubles(const Path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<double> values(std::filesystem::file_size(path) / sizeof(double));
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(values.size() * sizeof(double)));
  return values;
}

std::vector<double> AskPyTorch(const std::vector<Case>& cases) {
  const TempDir folder;
  json all = json::array();
  {
    std::ofstream values(folder.path() / "values.bin", std::ios::binary);
    for (const Case& c : cases) {
      all.push_back(Described(c));
      Write(values, c.batch.samples());
      Write(values, c.batch.targets());
      for (const NamedTensor& tensor : c.parameters) Write(values, tensor.tensor.floats());
    }
    std::ofstream(folder.path() / "cases.json") << all;
  }
  const Ran ran = RunCommand(format("/usr/bin/python3 -B {}/tests/numeric/torch_judge.py {}",
                                    FX_SOURCE_DIR, folder.path().string()));
  EXPECT_EQ(ran.exit_code, 0) << ran.output;
  return ran.exit_code == 0 ? ReadDoubles(folder.path() / "answers.bin") : std::vector<double>();
}

// --- What the runner computes
// ---------------------------------------------------------------------

struct Native {
  double loss = 0;
  Model gradients;
  double loss_after = 0;
  Model after;
};

Result<std::unique_ptr<TaskRunner>> RunnerOf(const Case& c, const NetworkSpec& network) {
  const DataLoaderSettings settings = {.type = "", .dataset = "", .batch_size = c.batch.size()};
  auto runner = TRY(MakeTaskRunner(network, settings, c.batch));
  TRY(runner->SetParameters(c.parameters));
  return runner;
}

// After the first step of SGD with momentum on the full batch, the momentum is the gradient.
Result<Native> RunNative(const Case& c) {
  NetworkSpec network = c.network;
  network.optimizer = {.learning_rate = 1e-3, .momentum = 0.5};
  const auto first = TRY(RunnerOf(c, network));
  Native native;
  native.loss = TRY(first->Train(Task(TaskFunction::kTrain), InRound(0))).metrics.front().value;
  native.gradients = first->GetOptimizerState();
  const auto runner = TRY(RunnerOf(c, c.network));
  TRY(runner->Train(Task(TaskFunction::kTrain, kSteps), InRound(0)));
  native.loss_after =
      TRY(runner->Validate(Task(TaskFunction::kValidate), InRound(0))).metrics.front().value;
  native.after = Clone(runner->GetParameters());
  return native;
}

// --- The comparison
// -------------------------------------------------------------------------------

// PyTorch's answers, in their order.
class Answers {
 public:
  explicit Answers(std::vector<double> values) : values_(std::move(values)) {}
  std::span<const double> Next(std::size_t count) {
    FX_CHECK(at_ + count <= values_.size());
    at_ += count;
    return std::span(values_).subspan(at_ - count, count);
  }
  double Next() { return Next(1).front(); }
  bool at_end() const { return at_ == values_.size(); }

 private:
  std::vector<double> values_;
  std::size_t at_ = 0;
};

double Norm(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value * value;
  return std::sqrt(sum);
}

// Tensor by tensor. One that is nothing but rounding beside the others, such as the gradient of a
// bias before batch_norm, is held against a tenth of them all.
void ExpectClose(const Model& actual, Answers& answers, const char* what) {
  std::size_t total = 0;
  for (const NamedTensor& tensor : actual) total += tensor.tensor.floats().size();
  Answers ahead = answers;
  const double floor = std::max(0.1 * Norm(ahead.Next(total)), 1e-6);
  for (const NamedTensor& tensor : actual) {
    const auto values = tensor.tensor.floats();
    const auto expected = answers.Next(values.size());
    std::vector<double> difference;
    for (std::size_t i = 0; i < values.size(); ++i) difference.push_back(values[i] - expected[i]);
    EXPECT_LT(Norm(difference) / std::max(Norm(expected), floor), kTolerance)
        << what << " " << tensor.name << ", of norm " << Norm(expected);
  }
}

std::size_t AnswersOf(const Case& c) {
  std::size_t count = 2;
  for (const NamedTensor& tensor : c.parameters) {
    count += tensor.tensor.floats().size() * (IsTrained(tensor.name) ? 2 : 1);
  }
  return count;
}

void Judge(const Case& c, Answers& answers) {
  SCOPED_TRACE(format("seed {}, batch {}\n{}", c.seed, c.batch.size(), Describe(c.network)));
  // Should it end the program, its name is known.
  if (std::getenv("FX_TORCH_SEEDS") != nullptr) std::fprintf(stderr, "seed %lu\n", c.seed);
  const Result<Native> ran = RunNative(c);
  if (!ran) {
    ADD_FAILURE() << ran.error().Render();
    answers.Next(AnswersOf(c));
    return;
  }
  const Native& native = *ran;
  const double loss = answers.Next();
  EXPECT_NEAR(native.loss, loss, kTolerance * std::abs(loss)) << "loss";
  ExpectClose(native.gradients, answers, "gradient of");
  const double loss_after = answers.Next();
  EXPECT_NEAR(native.loss_after, loss_after, kTolerance * std::abs(loss_after)) << "loss after";
  ExpectClose(native.after, answers, "after three steps,");
}

std::pair<std::uint64_t, std::uint64_t> Seeds() {
  unsigned long first = 1, last = 90;
  if (const char* wanted = std::getenv("FX_TORCH_SEEDS")) {
    std::sscanf(wanted, "%lu-%lu", &first, &last);  // NOLINT: a developer's own words
  }
  return {first, last};
}

TEST(PyTorch, AgreesOnLossGradientsAndThreeStepsOfRandomNetworks) {
  if (RunCommand("/usr/bin/python3 -B -c 'import torch'").exit_code != 0) {
    GTEST_SKIP() << "PyTorch is the judge, and it is not installed: apt install python3-torch";
  }
  std::vector<Case> cases;
  const auto [first, last] = Seeds();
  for (std::uint64_t seed = first; seed <= last; ++seed) cases.push_back(MakeCase(seed));
  Answers answers(AskPyTorch(cases));
  if (HasFailure()) return;
  for (const Case& c : cases) Judge(c, answers);
  EXPECT_TRUE(answers.at_end());
}

}  // namespace
}  // namespace fx::test
