#include "fx/collaborator/start.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "collaborator/grpc_link.h"
#include "collaborator/local_store.h"
#include "collaborator/site_limits.h"
#include "collaborator/task_loop.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "fx/certificates.h"
#include "fx/collaborator/site.h"
#include "fx/collaborator/site_credentials.h"
#include "fx/collaborator/vitals.h"
#include "fx/progress_line.h"
#include "fx/service/service.h"
#include "fx/stop_on_signal.h"
#include "pki/cert_store.h"
#include "pki/identity.h"
#include "plan/load.h"
#include "plan/model_layout.h"
#include "plan/python_parts.h"
#include "rpc/grpc_log.h"
#include "tasks/data_loader.h"
#include "tasks/lazy_runner.h"
#include "tasks/site_runner.h"
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
  std::error_code error;
  const std::string file = std::filesystem::absolute(data_config, error).string();
  const auto missing = [&](const std::string& what) {
    return Fail(
        Error(ErrorCode::kNotFound, what)
            .Hint(format("fx collaborator create -n {} -d <data path or shard>; in a container, "
                         "mount the file that has this line at {}, and the data where it says",
                         name, file)));
  };
  if (std::filesystem::is_directory(file, error)) {
    return missing(data_config + " is a folder: docker makes one where a file to mount is missing");
  }
  if (!Exists(data_config)) {
    return missing(data_config + " does not exist; neither archives nor images bring it along");
  }
  auto entries = TRY(LoadDataFile(data_config));
  const auto entry = entries.find(name);
  if (entry == entries.end()) {
    return missing(format("{} has no line for the collaborator {}", data_config, name));
  }
  return entry->second;
}

std::string NameOf(Precision precision) {
  return precision == Precision::kBfloat16 ? "bf16" : "float32";
}

double SteadySeconds() {
  using Seconds = std::chrono::duration<double>;
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool ShowProgress(const Io& io) {
  const char* const forced = std::getenv("FX_PROGRESS");
  return io.err_is_tty || (forced != nullptr && std::string_view(forced) == "1");
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
             {"training_memory_mb", std::to_string(runner->peak_bytes() >> 20)},
             {"precision", NameOf(PrecisionHere(plan.task_runner))}});
    if (PrecisionHere(plan.task_runner) != plan.task_runner.precision) {
      LogWarning("this processor has no bfloat16, which the plan asks for: trains in float32");
    }
  }
  ReturnIdleMemory();
  return Ok();
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
    flags.WorkspaceFile("--site", &site_, kSiteFileHelp);
    DeclareHealth(flags, &health_);
  }

  Status Run(Io& io) override { return In(Start(io), "cannot take part in the federation"); }

 private:
  // What Start has found out, and who watches.
  struct Part {
    const Plan& plan;
    const CollaboratorName& name;
    const std::string& data_path;
    const SiteSettings& settings;
    StopOnSignal& signals;
    CollaboratorVitals& vitals;
    Service& service;
  };

  Status Start(Io& io) const {
    StopOnSignal signals;  // before any thread
    InstallGrpcLog(GrpcRole::kClient);
    const Plan plan = TRY(LoadPlan(plan_, kColsFile));
    TRY(CheckPlan(plan));
    const CollaboratorName name{TRY(Identity::Collaborator(name_)).name()};
    const std::string data_path = TRY(DataPathOf(data_config_, name.value));
    const SiteSettings settings = TRY(LoadSite(site_, plan.network));
    CollaboratorVitals vitals;
    const auto service =
        TRY(Service::Start(signals, health_,
                           {.line = [&] { return vitals.Line(); },
                            .metrics = [&] { return vitals.Metrics(); },
                            .working = [&] { return vitals.reaches_aggregator(); }}));
    return TakePart({plan, name, data_path, settings, signals, vitals, *service}, io);
  }

  static Result<PemBundle> CredentialsOf(const Part& part) {
    return LoadCollaboratorCredentials(part.plan.network.cert_folder, part.name,
                                       part.settings.ca_bundle);
  }

  static std::shared_ptr<collaborator::SiteLimits> LimitsOf(const Part& part) {
    LogSite(part.settings);
    return std::make_shared<collaborator::SiteLimits>(
        part.settings.bytes_per_second, part.settings.hours,
        collaborator::RealWorld(part.signals.token()));
  }

  static Status TakePart(const Part& part, Io& io) {
    const auto& [plan, name, data_path, settings, signals, vitals, service] = part;
    SiteCredentials site(CredentialFilesOf(plan.network.cert_folder, name),
                         [&part] { return CredentialsOf(part); });
    PemBundle credentials = plan.network.tls ? TRY(CredentialsOf(part)) : PemBundle();
    if (plan.network.tls) LogCertificateWarnings(plan.network.cert_folder, {name.value});
    auto store = TRY(collaborator::LocalStore::Open(collaborator::StatePath(".", name, plan)));
    io.out << format("Data = {{'{}': '{}'}}\n", name.value, data_path) << std::flush;
    TRY(TryData(plan, name, data_path));
    std::unique_ptr<DataLoader> data;
    const auto runner =
        MakeLazyRunner(ModelLayout(plan), [&]() -> Result<std::unique_ptr<TaskRunner>> {
          data = TRY(MakeDataLoader(part.plan.data_loader, part.data_path));
          return MakeSiteRunner(part.plan, *data);
        });

    const auto limits = LimitsOf(part);
    auto link_options = collaborator::LinkOptionsOf(plan, name);
    link_options.stop = signals.token();
    link_options.proxy = settings.proxy;
    link_options.limits = limits;
    link_options.gauges = &vitals.link();
    if (plan.network.tls) link_options.renewed = [&] { return site.Renewed(); };
    const auto link = collaborator::MakeGrpcLink(std::move(link_options), std::move(credentials));
    ProgressLine line(io.err);
    auto options = LoopOptions(part);
    options.limits = limits;
    options.clear = [&] { line.Clear(); };
    if (ShowProgress(io)) {
      options.show = [&](Round round, const TaskName& task, const Progress& progress) {
        line.Show(ProgressText(round, task, progress));
      };
    }
    const auto on_hang_up = service.Ready([&] {
      if (part.plan.network.tls) site.Reread();
    });
    return collaborator::TaskLoop(std::move(options), std::move(store), *link, *runner).Run();
  }

  static collaborator::TaskLoopOptions LoopOptions(const Part& part) {
    const Plan& plan = part.plan;
    collaborator::TaskLoopOptions options{.name = part.name,
                                          .tasks = plan.tasks,
                                          .settings = plan.collaborator,
                                          .has_sums = HasSums(plan),
                                          .stop = part.signals.token(),
                                          .clock = SteadySeconds};
    if (plan.aggregator.write_logs) {
      options.metrics_file = "logs/" + part.name.value + "_metrics.txt";
    }
    options.doing = [part](const collaborator::Step& step) {
      part.vitals.Doing(step);
      part.service.Tell();
    };
    return options;
  }

  std::string plan_ = "plan/plan.yaml";
  std::string data_config_ = "plan/data.yaml";
  std::string name_;
  std::string site_ = kSiteFile;
  std::string health_;
};

}  // namespace

std::unique_ptr<Command> MakeCollaboratorStart() {
  return std::make_unique<CollaboratorStart>();
}

}  // namespace fx
