// What a collaborator can run: train and validate a model on its own data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/names.h"
#include "core/tensor/tensor.h"
#include "plan/plan.h"
#include "tasks/data_loader.h"

namespace fx {

// How far a task is; reported a few times a second at most.
struct Progress {
  std::int64_t epoch = 0, epochs = 0;   // counted from 1
  std::int64_t samples = 0, total = 0;  // of the whole task
  double samples_per_second = 0;
  double loss = 0;  // mean of the samples so far in this epoch
};

// Of a quadratic function, slope x - offset: for each trained parameter, in its order and shape.
struct QuadraticPenalty {
  Model slope, offset;
};

struct TaskContext {
  Round round{};
  CollaboratorName collaborator;                  // keys the random draws, with round and plan seed
  std::function<void(const Progress&)> progress;  // may be empty; called on the caller's thread
  std::function<bool()> cancelled;                // may be empty; polled between batches
  // Added to the gradients of each step, after they are clipped: a tensor for each trained
  // parameter, in its order and shape. Null: nothing is.
  const Model* correction = nullptr;
  // The gradient of what belongs to the loss besides the data's, added before clipping. Null: none.
  const QuadraticPenalty* penalty = nullptr;
};

struct TaskReport {
  std::int64_t num_samples = 0;  // the weight of the result
  std::vector<Metric> metrics;   // those the task asks for, in its order
  std::int64_t steps = 0;        // of the optimizer
};

// Holds one network's parameters and optimizer state. Not thread-safe. Deterministic: the same
// plan, data, parameters, state, round and collaborator give the same bytes, on the same kind of
// machine.
class TaskRunner {
 public:
  virtual ~TaskRunner() = default;

  // The parameters exchanged with the aggregator.
  virtual const Layout& layout() const = 0;

  // Values in layout order, plain row-major. SetParameters refuses another layout. What
  // GetParameters returns may be borrowed: read-only, valid until the runner is asked to change.
  virtual Status SetParameters(const Model& model) = 0;
  virtual Model GetParameters() const = 0;

  // The optimizer's state, for opt_treatment CONTINUE_LOCAL and for restarts; empty if it has none
  // or never stepped. ResetOptimizer forgets it.
  virtual Model GetOptimizerState() const = 0;
  virtual Status SetOptimizerState(const Model& state) = 0;
  virtual void ResetOptimizer() = 0;

  // Memory for weights, gradients, the optimizer and everything between the layers, at its most;
  // the data comes on top. 0 if it is not known.
  virtual std::size_t peak_bytes() const { return 0; }

  // Trains `task.epochs` epochs over the training data. A loss or weight that is not finite is an
  // error naming the layer; the parameters are then unspecified.
  virtual Result<TaskReport> Train(const TaskSpec& task, const TaskContext& context) = 0;

  // After Train, where the loss is curved: the diagonal of the empirical Fisher information, for
  // each trained parameter, in its order and shape. It is the mean over mini-batches of the squared
  // gradient of the batch's mean loss, without what the optimizer adds to it, in one more epoch of
  // `task` that moves nothing. Where gradients differ from sample to sample with variance v about a
  // mean g, that of a batch of B squared is g^2 + v / B on average, where the information has
  // g^2 + v: near an optimum, B times less. Exact with a batch_size of 1.
  virtual Result<Model> Fisher(const TaskSpec& /*task*/, const TaskContext& /*context*/) {
    return Fail(ErrorCode::kUnimplemented, "this runner cannot tell where its loss is curved");
  }

  // Evaluates the current parameters on the validation data.
  virtual Result<TaskReport> Validate(const TaskSpec& task, const TaskContext& context) = 0;
};

// The native runner: the plan's network on oneDNN. `data` must outlive the runner. Refuses data
// whose samples do not have the network's input shape.
Result<std::unique_ptr<TaskRunner>> MakeTaskRunner(const NetworkSpec& network,
                                                   const DataLoaderSettings& data_settings,
                                                   const DataLoader& data);

// What the native runner computes in on this machine: what the plan says, or float32 where the
// processor has no instructions for it.
Precision PrecisionHere(const NetworkSpec& network);

// The weights every party starts from, drawn from the plan's seed tensor by tensor. Needs no data.
// Shapes must be inferred.
//   convolutions, dense  weights uniform in +-sqrt(6 / fan_in) (He et al. 2015), biases uniform in
//                        +-1 / sqrt(fan_in) (PyTorch's default); fan_in is the number of inputs of
//                        one output, of a transposed convolution filters * height * width (PyTorch)
//   norms                weight and running_var 1, bias and running_mean 0
//   embedding            standard normal (PyTorch's default)
//   lstm, gru            all uniform in +-1 / sqrt(units) (PyTorch's default)
Model InitialModel(const NetworkSpec& network);

}  // namespace fx
