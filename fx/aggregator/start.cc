#include "fx/aggregator/start.h"

#include <optional>
#include <stop_token>
#include <utility>

#include "aggregator/runtime.h"
#include "aggregator/server/listener.h"
#include "core/base/cores.h"
#include "core/base/format.h"
#include "fx/aggregator/watch.h"
#include "fx/certificates.h"
#include "fx/stop_on_signal.h"
#include "pki/cert_store.h"
#include "plan/load.h"
#include "rpc/grpc_log.h"

namespace fx {
namespace {

using aggregator::Outcome;
using aggregator::Runtime;
using aggregator::RuntimeOptions;

class AggregatorStart : public Command {
 public:
  std::string_view noun() const override { return "aggregator"; }
  std::string_view verb() const override { return "start"; }
  std::string_view summary() const override {
    return "Run the federation: hand out tasks and aggregate what comes back";
  }
  std::string_view example() const override { return "fx aggregator start"; }

  void Declare(Flags& flags) override {
    flags.WorkspaceFile("-p,--plan", &plan_, "The federation's plan");
    flags.WorkspaceFile("-c,--authorized_cols", &cols_, "The collaborators that may take part");
  }

  Status Run(Io& io) override { return In(Start(io), "cannot run the aggregator"); }

 private:
  Status Start(Io& io) const {
    const StopOnSignal signals;  // before any thread
    InstallGrpcLog(GrpcRole::kServer);
    aggregator::RaiseConnectionLimit();
    RuntimeOptions options = TRY(MakeOptions(io));
    const Plan plan = options.plan;
    const std::optional<RevocationList> list = options.revoked;
    const std::unique_ptr<Runtime> runtime = TRY(Runtime::Create(std::move(options)));
    Watch watch(plan, {.cols = cols_, .cert_folder = plan.network.cert_folder}, list, *runtime);
    watch.Start();
    if (runtime->already_finished()) SayItIsOver(*runtime, plan, io);
    const std::stop_callback stop(signals.token(), [&] { runtime->RequestStop(); });
    if (TRY(runtime->Run()) == Outcome::kStopped) {
      return Fail(Error(ErrorCode::kCancelled, "stopped before the federation was over")
                      .Hint("start it again with the same command: it goes on where it was"));
    }
    if (!runtime->already_finished()) SayWhereModelsAre(plan, io);
    return Ok();
  }

  Result<RuntimeOptions> MakeOptions(Io& io) const {
    Plan plan = TRY(LoadPlan(plan_, cols_));
    const NetworkSettings network = plan.network;
    TRY(CheckResolved(plan));
    PemBundle credentials;
    std::optional<RevocationList> revoked;
    if (network.tls) {
      revoked = TRY(LoadListInForce(network.cert_folder));
      credentials = TRY(LoadAggregatorCredentials(network.cert_folder, network.agg_addr));
      LogCertificateWarnings(network.cert_folder, NamesThatCount(plan));
    }
    return RuntimeOptions{.plan = std::move(plan),
                          .credentials = std::move(credentials),
                          .revoked = std::move(revoked),
                          .port = network.agg_port,
                          .fold_threads = FreeCores(),
                          .table = &io.out,
                          .now = {}};
  }

  static void SayWhereModelsAre(const Plan& plan, Io& io) {
    const std::string best = plan.aggregator.best_state_path.string();
    io.err << format("Best model: {}\nLast model: {}\n", best,
                     plan.aggregator.last_state_path.string());
    io.err << format("To take it elsewhere: fx model save -i {} -o FILE\n", best);
  }

  static void SayItIsOver(const Runtime& runtime, const Plan& plan, Io& io) {
    io.err << format("This federation, {}, is over already.\n", plan.federation_uuid);
    SayWhereModelsAre(plan, io);
    io.err << format(
        "To train again, change the plan (then export and import the workspace again), or remove "
        "the folder {} and start again.\n",
        runtime.state_folder().lexically_normal().string());
  }

  std::string plan_ = "plan/plan.yaml";
  std::string cols_ = "plan/cols.yaml";
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorStart() {
  return std::make_unique<AggregatorStart>();
}

}  // namespace fx
