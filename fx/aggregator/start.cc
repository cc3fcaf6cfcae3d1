#include "fx/aggregator/start.h"

#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "aggregator/runtime.h"
#include "aggregator/server/listener.h"
#include "core/base/cores.h"
#include "core/base/format.h"
#include "core/base/host_port.h"
#include "core/base/log.h"
#include "fx/aggregator/admin.h"
#include "fx/aggregator/vitals.h"
#include "fx/aggregator/watch.h"
#include "fx/certificates.h"
#include "fx/service/service.h"
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
    flags.Text("--listen", &listen_,
               "Where to listen, ADDRESS:PORT, if not on every address and the plan's agg_port");
    DeclareHealth(flags, &health_);
  }

  Status Run(Io& io) override { return In(Start(io), "cannot run the aggregator"); }

 private:
  Status Start(Io& io) const {
    StopOnSignal signals;  // before any thread
    LastWord last_word;    // said when everything else is gone
    const Outcome outcome = TRY(Serve(signals, last_word, io));
    if (outcome == Outcome::kPaused) {
      LogInfo(
          "ended after the round, as fx aggregator stop asked; fx aggregator start goes on with "
          "the next one");
    }
    SayHowItEnded(last_word, outcome);
    if (outcome != Outcome::kStopped) return Ok();
    return Fail(Error(ErrorCode::kCancelled, "stopped by a signal before the federation was over")
                    .Hint("start it again with the same command: it goes on where it was"));
  }

  Result<Outcome> Serve(StopOnSignal& signals, LastWord& last_word, Io& io) const {
    InstallGrpcLog(GrpcRole::kServer);
    aggregator::RaiseConnectionLimit();
    RuntimeOptions options = TRY(MakeOptions(io));
    const Plan plan = options.plan;
    const std::optional<RevocationList> list = options.revoked;
    AggregatorVitals vitals(plan);
    const auto service = TRY(Service::Start(
        signals, health_,
        {.line = [&] { return vitals.Line(); }, .metrics = [&] { return vitals.Metrics(); }}));
    options.observe = [&](TimeMs at, const aggregator::Record& record) {
      vitals.Happened(at, record);
      service->Tell();
    };
    const std::unique_ptr<Runtime> runtime = TRY(Runtime::Create(std::move(options)));
    Watch watch(plan, {.cols = cols_, .cert_folder = plan.network.cert_folder}, list, *runtime);
    watch.Start();
    const auto admin = AnswerAdministrators(*runtime, watch, last_word);
    const auto on_hang_up = service->Ready([&] { watch.Reread(); });
    if (runtime->already_finished()) SayItIsOver(*runtime, plan, io);
    const std::stop_callback stop(signals.token(), [&] { runtime->RequestStop(); });
    const Outcome outcome = TRY(runtime->Run());
    const bool over = outcome == Outcome::kFinished;
    if (over && !runtime->already_finished()) SayWhereModelsAre(plan, io);
    return outcome;
  }

  Result<RuntimeOptions> MakeOptions(Io& io) const {
    Plan plan = TRY(LoadPlanToRun(plan_, cols_));
    const NetworkSettings network = plan.network;
    TRY(CheckResolved(plan));
    auto listen = TRY(ListenAt(network));
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
                          .address = std::move(listen.first),
                          .port = listen.second,
                          .fold_threads = FreeCores(),
                          .heartbeat = HeartbeatOf(network.keep_alive),
                          .table = &io.out,
                          .now = {}};
  }

  // The address and port to listen on: what sites are told to use may be a gateway's.
  Result<std::pair<std::string, std::uint16_t>> ListenAt(const NetworkSettings& network) const {
    if (listen_.empty()) return std::pair(RuntimeOptions().address, network.agg_port);
    const HostPort place = TRY(In(ParseHostPort(listen_), "cannot use --listen"));
    const bool is_ipv6 = place.host.find(':') != std::string::npos;
    return std::pair(is_ipv6 ? "[" + place.host + "]" : place.host, place.port);
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
  std::string listen_;
  std::string health_;
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorStart() {
  return std::make_unique<AggregatorStart>();
}

}  // namespace fx
