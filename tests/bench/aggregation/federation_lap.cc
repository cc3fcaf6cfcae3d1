#include "tests/bench/aggregation/federation_lap.h"

#include <chrono>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <variant>

#include "aggregator/runtime.h"
#include "aggregator/state_folder.h"
#include "collaborator/grpc_link.h"
#include "collaborator/local_store.h"
#include "collaborator/task_loop.h"
#include "core/tensor/model_file.h"
#include "rpc/pbuf.h"
#include "tests/bench/aggregation/light_collaborator.h"
#include "tests/support/must.h"

namespace fx::bench {
namespace {

using test::Must;

double SteadySeconds() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Trains by moving a few weights on every page of memory: what is measured is the federation.
class Perturb final : public TaskRunner {
 public:
  Perturb(Layout layout, int number, std::function<void(Round)> begins)
      : layout_(std::move(layout)),
        step_(1e-4F * static_cast<float>(number + 1)),
        begins_(std::move(begins)) {}

  const Layout& layout() const override { return layout_; }
  Status SetParameters(const Model& model) override {
    TRY(CheckLayout(LayoutOf(model), layout_));
    if (model_.empty()) model_ = Clone(model);
    for (std::size_t i = 0; i < model.size(); ++i) {
      std::ranges::copy(model[i].tensor.bytes(), model_[i].tensor.bytes().begin());
    }
    return Ok();
  }
  Model GetParameters() const override {
    Model view;
    for (const auto& [name, tensor] : model_) {
      view.push_back({name, Tensor::Borrow(tensor.dtype(), tensor.shape(), tensor.bytes())});
    }
    return view;
  }
  Model GetOptimizerState() const override { return {}; }
  Status SetOptimizerState(const Model&) override { return Ok(); }
  void ResetOptimizer() override {}

  Result<TaskReport> Train(const TaskSpec&, const TaskContext& context) override {
    begins_(context.round);
    for (NamedTensor& named : model_) {
      const std::span<float> weights = named.tensor.floats();
      for (std::size_t i = 0; i < weights.size(); i += kEvery) weights[i] += step_;
    }
    return TaskReport{.num_samples = 100, .metrics = {{.name = "loss", .value = 1.0}}};
  }
  Result<TaskReport> Validate(const TaskSpec&, const TaskContext&) override {
    return Fail(ErrorCode::kUnimplemented, "the bench only trains");
  }

 private:
  static constexpr std::size_t kEvery = 256;

  const Layout layout_;
  const float step_;
  const std::function<void(Round)> begins_;
  Model model_;
};

void Collaborate(const Plan& plan, int number, PemBundle credentials, std::uint16_t port,
                 const Path& workspace, std::function<void(Round)> begins) {
  const CollaboratorName name = NameOf(number);
  auto options = collaborator::LinkOptionsOf(plan, name);
  options.port = port;
  const auto link = collaborator::MakeGrpcLink(std::move(options), std::move(credentials));
  Perturb runner(ParameterLayout(plan.task_runner), number, std::move(begins));
  collaborator::TaskLoopOptions loop{
      .name = name, .tasks = plan.tasks, .settings = plan.collaborator, .clock = SteadySeconds};
  auto store = Must(collaborator::LocalStore::Open(workspace / "collaborators" / name.value));
  Must(collaborator::TaskLoop(std::move(loop), std::move(store), *link, runner).Run());
}

double Between(TimeMs begin, TimeMs end) {
  return static_cast<double>(Count(end) - Count(begin)) / 1000;
}

// Round times by the aggregator's own clock, from its journal: from one opened round to the next,
// or to the end. The first is not counted.
void ReadTimes(const Plan& plan, const Path& workspace, Lap& lap) {
  auto state = Must(aggregator::StateFolder::Open(aggregator::StatePath(workspace, plan), plan));
  std::optional<TimeMs> opened;
  std::optional<TimeMs> closed;
  bool counted = false;
  for (const aggregator::Journal::Entry& entry : Must(state.journal.Load())) {
    if (std::holds_alternative<aggregator::RoundClosed>(entry.record)) closed = entry.at;
    const bool begins = std::holds_alternative<aggregator::RoundOpened>(entry.record);
    if (!begins && !std::holds_alternative<aggregator::FederationFinished>(entry.record)) continue;
    if (counted) {
      lap.seconds.push_back(Between(*opened, entry.at));
      lap.end_seconds.push_back(Between(*closed, entry.at));
    }
    counted = opened.has_value();
    opened = entry.at;
  }
}

}  // namespace

Lap RunFederation(const Size& size, int rounds, const test::TestPki& pki, const Path& workspace,
                  const std::vector<std::string>& server) {
  const Plan plan = MakePlan(size, rounds + 1);
  const Path init = workspace / plan.aggregator.init_state_path;
  Must(MakeFolders(init.parent_path()));
  Must(WritePbuf(init, MakeModel(plan), 0));
  const TaskResult update = size.light ? PrepareUpdate(plan, workspace) : TaskResult();
  Child child(server);
  Lap lap;
  std::once_flag counting;
  const auto begins = [&](Round round) {
    if (round == Round{}) return;
    std::call_once(counting, [&] {
      lap.server_cpu = -child.CpuSeconds();
      lap.client_cpu = -OwnCpuSeconds();
    });
  };
  {
    std::vector<std::jthread> collaborators;
    for (int i = 0; i < size.collaborators; ++i) {
      collaborators.emplace_back([&, i] {
        PemBundle credentials = pki.CollaboratorBundle(NameOf(i).value);
        if (size.light) {
          Run({.plan = plan,
               .name = NameOf(i),
               .port = child.port(),
               .workspace = workspace,
               .update = update,
               .begins = begins},
              std::move(credentials));
        } else {
          Collaborate(plan, i, std::move(credentials), child.port(), workspace, begins);
        }
      });
    }
  }
  lap.server_cpu += child.CpuSeconds();
  lap.client_cpu += OwnCpuSeconds();
  lap.server = child.Finish();
  ReadTimes(plan, workspace, lap);
  return lap;
}

void ServeAggregator(const Size& size, int rounds, const Path& cert_folder, const Path& workspace) {
  auto runtime = Must(aggregator::Runtime::Create(
      {.plan = MakePlan(size, rounds + 1),
       .credentials = Must(LoadAggregatorCredentials(cert_folder, kHost)),
       .workspace = workspace,
       .address = "127.0.0.1",
       .port = 0,
       .fold_threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency())),
       .quiet_ms = 0,
       .now = {}}));
  SayPort(runtime->port());
  FX_CHECK(Must(runtime->Run()) == aggregator::Outcome::kFinished);
  WaitForEndOfInput();
}

}  // namespace fx::bench
