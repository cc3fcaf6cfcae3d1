#include "tasks/onednn/runner.h"

#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/cores.h"
#include "core/base/format.h"
#include "core/base/random.h"
#include "core/tensor/model_file.h"
#include "tasks/check_data.h"
#include "tasks/metrics.h"
#include "tasks/onednn/network.h"
#include "tasks/onednn/optimizer.h"
#include "tasks/onednn/squared_gradients.h"
#include "tasks/prefetch.h"
#include "tasks/progress_meter.h"
#include "tasks/task_runner.h"
#include "tasks/thread_count.h"
#include "tasks/varied.h"

namespace fx::onednn {
namespace {

// A pass over some samples, with what it adds up to.
struct Tally {
  MetricSums metrics;
  LossSum loss;
  std::int64_t samples = 0;

  void Add(const LossSum& batch, const Network& network, std::int64_t size) {
    metrics.Add(network.outputs(), network.targets());
    loss.Add(batch);
    samples += size;
  }
};

Status CheckCancelled(const TaskSpec& task, const TaskContext& context) {
  if (!context.cancelled || !context.cancelled()) return Ok();
  return Fail(ErrorCode::kCancelled, format("task {} was cancelled", task.name.value));
}

void Load(const Prefetch::Batch& batch, Network& network) {
  std::ranges::copy(batch.samples, network.samples().begin());
  std::ranges::copy(batch.targets, network.targets().begin());
}

// As this machine can, and as it is worth for batches of that size.
NetworkSpec Here(NetworkSpec spec, std::int64_t batch) {
  if (spec.threads == 0) spec.threads = WorthThreads(spec, batch, FreeCores());
  spec.precision = PrecisionHere(spec);
  return spec;
}

class Runner final : public TaskRunner {
 public:
  Runner(const NetworkSpec& spec, std::int64_t batch_size, const DataLoader& data)
      : layout_(ParameterLayout(spec)),
        spec_(Here(Reordered(spec), batch_size)),
        batch_size_(batch_size),
        data_(data),
        parameters_(MakeParameters(spec)) {}

  // Compiles for the plan's batch size, which is the one that may choose the parameters' layouts.
  Status Prepare() {
    UseThreads();
    TRY(NetworkFor(TrainingBatch({}), true));
    const std::int64_t validation = data_.validation().size();
    if (validation > 0) TRY(NetworkFor(std::min(kEvaluationBatch, validation), false));
    return Guarded("cannot build the optimizer", [&] {
      optimizer_ =
          std::make_unique<Optimizer>(spec_.optimizer, context_, parameters_, spec_.threads);
    });
  }

  const Layout& layout() const override { return layout_; }

  Status SetParameters(const Model& model) override {
    TRY(In(CheckLayout(LayoutOf(model), layout_), "the model does not fit the plan's network"));
    return Guarded("cannot load the model", [&] {
      for (std::size_t i = 0; i < model.size(); ++i) {
        FromTensor(context_, model[i].tensor, parameters_[i].value);
      }
    });
  }

  Model GetParameters() const override {
    return Must([&] {
      Model model;
      for (const Parameter& parameter : parameters_) {
        model.push_back({.name = parameter.name,
                         .tensor = ToTensor(context_, parameter.value, parameter.shape)});
      }
      return model;
    });
  }

  Model GetOptimizerState() const override {
    return Must([&] { return optimizer_->State(); });
  }
  Status SetOptimizerState(const Model& state) override {
    return Guarded("cannot load the optimizer's state",
                   [&] { return optimizer_->SetState(state); });
  }
  void ResetOptimizer() override { optimizer_->Reset(); }

  std::size_t peak_bytes() const override { return context_.peak_bytes(); }

  Result<TaskReport> Train(const TaskSpec& task, const TaskContext& context) override {
    UseThreads();
    return Guarded(format("task {}", task.name.value), [&] { return TrainEpochs(task, context); });
  }

  Result<Model> Fisher(const TaskSpec& task, const TaskContext& context) override {
    UseThreads();
    return Guarded(format("the curvature after task {}", task.name.value),
                   [&] { return SquareGradients(task, context); });
  }

  Result<TaskReport> Validate(const TaskSpec& task, const TaskContext& context) override {
    UseThreads();
    return Guarded(format("task {}", task.name.value), [&] { return Evaluate(task, context); });
  }

 private:
  // For copies of what this class has laid out itself, which cannot fail unless there is a bug.
  template <typename Read>
  static Model Must(Read read) {
    Result<Model> model = Guarded("cannot read the runner's tensors", read);
    FX_CHECK(model.has_value());
    return *std::move(model);
  }

  // OpenMP keeps the number by thread, and the caller's may differ from call to call.
  void UseThreads() const { omp_set_num_threads(spec_.threads); }

  std::int64_t TrainingBatch(const std::optional<std::int64_t>& wanted) const {
    return std::min(wanted.value_or(batch_size_), data_.train().size());
  }

  Result<Network*> NetworkFor(std::int64_t batch, bool training) {
    std::unique_ptr<Network>& network = networks_[{batch, training}];
    if (!network) {
      network = TRY(Network::Compile(spec_, context_, parameters_, batch, training));
    }
    return network.get();
  }

  Result<TaskReport> TrainEpochs(const TaskSpec& task, const TaskContext& context) {
    const std::int64_t size = data_.train().size();
    ProgressMeter meter(context.progress, task.epochs, size);
    const MetricSums none = TRY(MetricSums::Make(spec_, task));
    optimizer_->BeginTask(context);
    const auto step = [&] { optimizer_->Step(); };
    std::vector<Metric> metrics;
    for (std::int64_t epoch = 1; epoch <= task.epochs; ++epoch) {
      Tally tally = {.metrics = none, .loss = {}};
      TRY(RunEpoch(task, context, epoch, meter, tally, step));
      if (epoch == task.epochs) metrics = tally.metrics.Values(tally.loss.mean());
    }
    meter.Finish();
    TRY(CheckParameters());
    const std::int64_t batch = TrainingBatch(task.batch_size);
    return TaskReport{.num_samples = size,
                      .metrics = std::move(metrics),
                      .steps = task.epochs * ((size + batch - 1) / batch)};
  }

  // The running statistics, which an epoch moves, are put back.
  Result<Model> SquareGradients(const TaskSpec& task, const TaskContext& context) {
    const std::function<void(const Progress&)> nobody;
    ProgressMeter meter(nobody, task.epochs + 1, data_.train().size());
    const MetricSums none = TRY(MetricSums::Make(spec_, task));
    Tally tally = {.metrics = none, .loss = {}};
    SquaredGradients squares(context_, parameters_, spec_.threads);
    const Model before = GetParameters();
    TRY(RunEpoch(task, context, task.epochs + 1, meter, tally, [&] { squares.Add(); }));
    TRY(SetParameters(before));
    return squares.Mean();
  }

  // `use` is called after each batch, with its gradients in the parameters.
  Status RunEpoch(const TaskSpec& task, const TaskContext& context, std::int64_t epoch,
                  ProgressMeter& meter, Tally& tally, const std::function<void()>& use) {
    const std::int64_t size = data_.train().size();
    const std::int64_t batch = TrainingBatch(task.batch_size);
    const std::uint64_t who = HashName(context.collaborator.value);
    const std::uint64_t round = Number(context.round);
    const std::vector<std::uint32_t> order = Permutation(
        static_cast<std::size_t>(size),
        RandomStream(spec_.seed, "shuffle", round, static_cast<std::uint64_t>(epoch), who));
    DrawKey key{.seed = spec_.seed,
                .round = round,
                .step = static_cast<std::uint64_t>((epoch - 1) * ((size + batch - 1) / batch)),
                .collaborator = who};
    const Varied varied(
        data_.train(),
        RandomStream(spec_.seed, "vary", round, static_cast<std::uint64_t>(epoch), who).NextU64());
    Prefetch batches(varied, order, batch);
    while (tally.samples < size) {
      TRY(CheckCancelled(task, context));
      TRY(RunBatch(batches.Next(), key, tally));
      use();
      meter.Update(epoch, tally.samples, tally.loss.mean());
      ++key.step;
    }
    return Ok();
  }

  Status RunBatch(const Prefetch::Batch& batch, const DrawKey& key, Tally& tally) {
    Network& network = *TRY(NetworkFor(batch.size, true));
    network.LoadWeights();
    Load(batch, network);
    const LossSum loss = network.Forward(key);
    TRY(CheckLoss(loss, batch, network, key));
    tally.Add(loss, network, batch.size);
    network.Backward();
    return Ok();
  }

  Result<TaskReport> Evaluate(const TaskSpec& task, const TaskContext& context) {
    const std::int64_t size = data_.validation().size();
    std::vector<std::uint32_t> order(static_cast<std::size_t>(size));
    std::iota(order.begin(), order.end(), 0U);
    ProgressMeter meter(context.progress, 1, size);
    const MetricSums none = TRY(MetricSums::Make(spec_, task));
    Tally tally = {.metrics = none, .loss = {}};
    const Network* loaded = nullptr;
    Prefetch batches(data_.validation(), order, kEvaluationBatch);
    while (tally.samples < size) {
      TRY(CheckCancelled(task, context));
      const Prefetch::Batch batch = batches.Next();
      Network& network = *TRY(NetworkFor(batch.size, false));
      if (std::exchange(loaded, &network) != &network) network.LoadWeights();
      Load(batch, network);
      const LossSum loss = network.Forward({});
      TRY(CheckLoss(loss, batch, network, {}));
      tally.Add(loss, network, batch.size);
      meter.Update(1, tally.samples, tally.loss.mean());
    }
    meter.Finish();
    return TaskReport{.num_samples = size, .metrics = tally.metrics.Values(tally.loss.mean())};
  }

  Status CheckLoss(const LossSum& loss, const Prefetch::Batch& batch, Network& network,
                   const DrawKey& key) const {
    if (std::isfinite(loss.sum)) return Ok();
    TRY(CheckParameters());
    Load(batch, network);
    const std::string layer = network.NonFiniteLayer(key);
    const std::string why = layer.empty()
                                ? "the outputs are finite, but too large for it"
                                : format("layer {} is the first whose output is not", layer);
    return Fail(Error(ErrorCode::kOutOfRange, "the loss is not finite: " + why)
                    .Hint("a smaller learning_rate usually helps"));
  }

  Status CheckParameters() const {
    for (const Parameter& parameter : parameters_) {
      if (FindNonFinite(Floats(parameter.value)) < 0) continue;
      return Fail(Error(ErrorCode::kOutOfRange,
                        format("{} holds values that are not finite", parameter.name))
                      .Hint("a smaller learning_rate usually helps"));
    }
    return Ok();
  }

  const Layout layout_;
  const NetworkSpec spec_;
  const std::int64_t batch_size_;
  const DataLoader& data_;
  mutable Context context_;  // a reorder runs on the stream but changes nothing of ours
  std::vector<Parameter> parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  std::map<std::pair<std::int64_t, bool>, std::unique_ptr<Network>> networks_;
};

}  // namespace

Result<std::vector<std::string>> DescribeImplementations(const NetworkSpec& network,
                                                         std::int64_t batch, bool training) {
  return Guarded("cannot start oneDNN", [&]() -> Result<std::vector<std::string>> {
    Context context;
    const NetworkSpec spec = Here(Reordered(network), batch);
    omp_set_num_threads(spec.threads);
    std::vector<Parameter> parameters = MakeParameters(network);
    return TRY(Network::Compile(spec, context, parameters, batch, training))->Implementations();
  });
}

}  // namespace fx::onednn

namespace fx {

Precision PrecisionHere(const NetworkSpec& network) {
  return onednn::HasBfloat16() ? network.precision : Precision::kFloat32;
}

Result<std::unique_ptr<TaskRunner>> MakeTaskRunner(const NetworkSpec& network,
                                                   const DataLoaderSettings& data_settings,
                                                   const DataLoader& data) {
  TRY(CheckData(network, data.train(), "training"));
  TRY(CheckData(network, data.validation(), "validation"));
  auto made = onednn::Guarded("cannot start oneDNN", [&] {
    return std::make_unique<onednn::Runner>(network, data_settings.batch_size, data);
  });
  std::unique_ptr<onednn::Runner> runner = TRY(std::move(made));
  TRY(In(runner->Prepare(), "cannot prepare the network"));
  return runner;
}

}  // namespace fx
