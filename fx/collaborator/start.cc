#include "fx/collaborator/start.h"

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

#include "collaborator/grpc_link.h"
#include "collaborator/local_store.h"
#include "collaborator/task_loop.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "fx/certificates.h"
#include "fx/progress_line.h"
#include "fx/stop_on_signal.h"
#include "pki/cert_store.h"
#include "pki/identity.h"
#include "plan/load.h"
#include "plan/model_layout.h"
#include "plan/python_parts.h"
#include "rpc/grpc_log.h"
#include "tasks/data_loader.h"
#include "tasks/lazy_runner.h"
#include "tasks/shared_optimizer.h"
#include "tasks/task_runner.h"

namespace fx {
namespace {

constexpr const char* kColsFile = "plan/cols.yaml";

Status CheckPlan(const Plan& plan) {
  if (plan.network.agg_addr == "auto" || plan.network.agg_port == 0) {
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      "the plan does not say where the aggregator is (network.settings.agg_addr)")
                    .Hint("import the workspace the aggregator exported after fx plan initialize"));
  }
  return CheckNative(plan);
}

// The collaborator's line of data.yaml.
Result<std::string> DataPathOf(const std::string& data_config, const std::string& name) {
  const std::string hint = format("fx collaborator create -n {} -d <data path or shard>", name);
  if (!Exists(data_config)) {
    return Fail(Error(ErrorCode::kNotFound, data_config + " does not exist").Hint(hint));
  }
  auto entries = TRY(LoadDataFile(data_config));
  const auto entry = entries.find(name);
  if (entry == entries.end()) {
    return Fail(Error(ErrorCode::kNotFound,
                      format("{} has no line for the collaborator {}", data_config, name))
                    .Hint(hint));
  }
  return entry->second;
}

double SteadySeconds() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool ShowProgress(const Io& io) {
  const char* const forced = std::getenv("FX_PROGRESS");
  return io.err_is_tty || (forced != nullptr && std::string_view(forced) == "1");
}

collaborator::TaskLoopOptions LoopOptions(const Plan& plan, const CollaboratorName& name) {
  collaborator::TaskLoopOptions options{
      .name = name, .tasks = plan.tasks, .settings = plan.collaborator, .clock = SteadySeconds};
  if (plan.aggregator.write_logs) options.metrics_file = "logs/" + name.value + "_metrics.txt";
  return options;
}

// Loads data and network, so that whatever is wrong with them is said at once, and lets go of them:
// it may be long until there is something to do.
Status TryData(const Plan& plan, const CollaboratorName& name, const std::string& data_path) {
  {
    const auto data = TRY(MakeDataLoader(plan.data_loader, data_path));
    const auto runner = TRY(In(MakeTaskRunner(plan.task_runner, plan.data_loader, *data),
                               format("cannot train on the data {}", data_path)));
    LogInfo("collaborator " + name.value + " is ready",
            {{"federation", plan.federation_uuid},
             {"aggregator", format("{}:{}", plan.network.agg_addr, plan.network.agg_port)},
             {"training_samples", std::to_string(data->train().size())},
             {"validation_samples", std::to_string(data->validation().size())},
             {"training_memory_mb", std::to_string(runner->peak_bytes() >> 20)}});
  }
  ReturnIdleMemory();
  return Ok();
}

Result<std::unique_ptr<TaskRunner>> RunnerOf(const Plan& plan, const DataLoader& data) {
  auto runner = TRY(MakeTaskRunner(plan.task_runner, plan.data_loader, data));
  if (plan.collaborator.opt_treatment != OptTreatment::kContinueGlobal) return runner;
  return ShareOptimizer(plan, std::move(runner));
}

class CollaboratorStart : public Command {
 public:
  std::string_view noun() const override { return "collaborator"; }
  std::string_view verb() const override { return "start"; }
  std::string_view summary() const override {
    return "Take part: train on this site's data until the federation is over";
  }
  std::string_view example() const override { return "fx collaborator start -n hospital1"; }

  void Declare(Flags& flags) override {
    flags.WorkspaceFile("-p,--plan", &plan_, "The plan of the federation");
    flags.WorkspaceFile("-d,--data_config", &data_config_,
                        "Where this site's data is, a line a name");
    flags.RequiredText("-n,--collaborator_name", &name_, "The name this site was certified under");
  }

  Status Run(Io& io) override { return In(Start(io), "cannot take part in the federation"); }

 private:
  Status Start(Io& io) const {
    const StopOnSignal signals;
    InstallGrpcLog(GrpcRole::kClient);
    const Plan plan = TRY(LoadPlan(plan_, kColsFile));
    TRY(CheckPlan(plan));
    const CollaboratorName name{TRY(Identity::Collaborator(name_)).name()};
    const std::string data_path = TRY(DataPathOf(data_config_, name.value));
    PemBundle credentials = plan.network.tls
                                ? TRY(LoadCollaboratorCredentials(plan.network.cert_folder, name))
                                : PemBundle();
    if (plan.network.tls) LogCertificateWarnings(plan.network.cert_folder, {name.value});
    auto store = TRY(collaborator::LocalStore::Open(collaborator::StatePath(".", name, plan)));
    io.out << format("Data = {{'{}': '{}'}}\n", name.value, data_path) << std::flush;
    TRY(TryData(plan, name, data_path));
    std::unique_ptr<DataLoader> data;
    const auto runner =
        MakeLazyRunner(ModelLayout(plan), [&]() -> Result<std::unique_ptr<TaskRunner>> {
          data = TRY(MakeDataLoader(plan.data_loader, data_path));
          return RunnerOf(plan, *data);
        });

    auto link_options = collaborator::LinkOptionsOf(plan, name);
    link_options.stop = signals.token();
    const auto link = collaborator::MakeGrpcLink(std::move(link_options), std::move(credentials));
    ProgressLine line(io.err);
    auto options = LoopOptions(plan, name);
    options.stop = signals.token();
    options.clear = [&] { line.Clear(); };
    if (ShowProgress(io)) {
      options.show = [&](Round round, const TaskName& task, const Progress& progress) {
        line.Show(ProgressText(round, task, progress));
      };
    }
    return collaborator::TaskLoop(std::move(options), std::move(store), *link, *runner).Run();
  }

  std::string plan_ = "plan/plan.yaml";
  std::string data_config_ = "plan/data.yaml";
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> MakeCollaboratorStart() {
  return std::make_unique<CollaboratorStart>();
}

}  // namespace fx
