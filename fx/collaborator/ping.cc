#include "fx/collaborator/ping.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "collaborator/backoff.h"
#include "collaborator/grpc_link.h"
#include "collaborator/site_limits.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/host_port.h"
#include "fx/checks/check_list.h"
#include "fx/collaborator/local_zone.h"
#include "fx/collaborator/site.h"
#include "pki/cert_store.h"
#include "pki/identity.h"
#include "pki/tcp_connection.h"
#include "pki/tls_probe.h"
#include "pki/tunnel.h"
#include "plan/load.h"
#include "rpc/grpc_log.h"

namespace fx {
namespace {

constexpr auto kPatience = std::chrono::seconds(5);
constexpr std::int64_t kCallMs = 10'000;

// The addresses behind a name, as text.
Result<std::string> AddressesOf(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), nullptr, &hints, &found); code != 0) {
    return Fail(
        Error(ErrorCode::kUnavailable,
              format("{} does not resolve to an address: {}", host, gai_strerror(code)))
            .Hint("check network.settings.agg_addr in the plan, and the DNS server or /etc/hosts "
                  "of this machine"));
  }
  std::string list;
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    std::array<char, 64> text{};
    const int code = getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0,
                                 NI_NUMERICHOST);
    if (code == 0) list += (list.empty() ? "" : ", ") + std::string(text.data());
  }
  freeaddrinfo(found);
  return list;
}

// Asks for a model that cannot exist. The aggregator judges the caller and the plan before it looks
// for the model, so "there is none" is the answer to someone who may take part; nothing else has
// happened there: no task is handed out, no clock of a round starts.
Status AskForNothing(const Plan& plan, const CollaboratorName& name,
                     const std::optional<Proxy>& proxy, PemBundle credentials) {
  std::stop_source stop;
  const std::jthread alarm([&stop](const std::stop_token& done) {
    if (collaborator::WaitFor(kCallMs, done)) stop.request_stop();
  });
  auto options = collaborator::LinkOptionsOf(plan, name);
  options.model_size = 0;
  options.stop = stop.get_token();
  options.proxy = proxy;
  const auto link = collaborator::MakeGrpcLink(std::move(options), std::move(credentials));
  const TempDir nowhere;
  const ModelId no_model{std::string(64, '0')};
  const Status answer = link->Download(no_model, 0, nowhere.path() / "model");
  if (answer || answer.error().code() == ErrorCode::kNotFound) return Ok();
  if (answer.error().code() == ErrorCode::kCancelled) {
    return Fail(Error(ErrorCode::kUnavailable, "the aggregator did not answer within 10 s")
                    .Hint("it may be overloaded; look at its log"));
  }
  return answer;
}

bool IsAboutTheCaller(const Error& error) {
  return error.code() == ErrorCode::kPermissionDenied ||
         error.code() == ErrorCode::kUnauthenticated;
}

class CollaboratorPing : public Command {
 public:
  std::string_view noun() const override { return "collaborator"; }
  std::string_view verb() const override { return "ping"; }
  std::string_view summary() const override {
    return "Try to reach the aggregator, and say at which step it fails and what helps";
  }
  std::string_view example() const override { return "fx collaborator ping -n hospital1"; }

  void Declare(Flags& flags) override {
    flags.RequiredText("-n,--collaborator_name", &name_, "The name this site was certified under");
    flags.WorkspaceFile("-p,--plan", &plan_, "The plan of the federation");
    flags.WorkspaceFile("--site", &site_, kSiteFileHelp);
    flags.Switch("--json", &json_, "For programs: the steps as JSON");
  }

  Status Run(Io& io) override {
    InstallGrpcLog(GrpcRole::kClient);
    CheckList steps;
    Try(steps);
    io.out << (json_ ? steps.Json() : steps.Text()) << std::flush;
    return In(steps.Verdict(), "this site cannot take part now");
  }
  bool for_programs() const override { return json_; }

 private:
  // Each step builds on the ones before: the first that fails is the last.
  void Try(CheckList& steps) const {
    const auto name = Identity::Collaborator(name_);
    if (!name) return steps.Bad("name", name.error());
    const auto plan = LoadPlan(plan_, "plan/cols.yaml");
    if (!plan) return steps.Bad("plan", plan.error());
    if (const Status resolved = CheckResolved(*plan); !resolved) {
      return steps.Bad("plan", resolved.error());
    }
    steps.Good("plan", format("{}, hash {}...", plan_, plan->digest.substr(0, 8)));
    const auto site = LoadSite(site_, plan->network);
    if (!site) return steps.Bad("site settings", site.error());
    SayHours(*site, steps);
    Reach(*plan, CollaboratorName{name->name()}, *site, steps);
  }

  static void SayHours(const SiteSettings& site, CheckList& steps) {
    if (site.hours.always()) return;
    const auto world = collaborator::RealWorld({});
    const std::string now =
        format("it is {}; {}", collaborator::LocalTimeText(world), site.hours.text());
    if (const auto trouble = TroubleWithZone()) {
      steps.Warn("time zone", trouble->what, trouble->advice);
    }
    const collaborator::SiteLimits limits(0, site.hours, world);
    if (limits.Open()) return steps.Good("hours", format("open now ({})", now));
    steps.Warn("hours", format("this site does not take part now ({})", now),
               "fx collaborator start waits until they begin");
  }

  static void Reach(const Plan& plan, const CollaboratorName& name, const SiteSettings& site,
                    CheckList& steps) {
    PemBundle credentials;
    if (plan.network.tls) {
      auto loaded = LoadCollaboratorCredentials(plan.network.cert_folder, name, site.ca_bundle);
      if (!loaded) return steps.Bad("certificate", loaded.error());
      credentials = *std::move(loaded);
      steps.Good("certificate", format("of {}, with its key and authorities", name.value));
    }
    if (!(site.proxy ? Tunnel(plan, *site.proxy, steps) : Connect(plan, steps))) return;
    if (!Shake(plan, site.proxy, credentials, steps)) return;
    Ask(plan, name, site.proxy, std::move(credentials), steps);
  }

  static bool Tunnel(const Plan& plan, const Proxy& proxy, CheckList& steps) {
    const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
    const NetworkSettings& network = plan.network;
    const auto tunnel = OpenTunnel(proxy, network.agg_addr, network.agg_port, deadline);
    if (!tunnel) {
      steps.Bad("proxy", tunnel.error());
      return false;
    }
    steps.Good("proxy", format("{} (from {}) connects to {}", proxy.Place(), proxy.origin,
                               HostAndPort(network.agg_addr, network.agg_port)));
    return true;
  }

  static bool Connect(const Plan& plan, CheckList& steps) {
    const std::string& host = plan.network.agg_addr;
    const std::uint16_t port = plan.network.agg_port;
    const auto addresses = AddressesOf(host);
    if (!addresses) {
      steps.Bad("name resolution", addresses.error());
      return false;
    }
    steps.Good("name resolution", format("{} is {}", host, *addresses));
    const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
    if (const auto tcp = TcpConnection::Open(host, port, deadline); !tcp) {
      steps.Bad("TCP", tcp.error());
      return false;
    }
    steps.Good("TCP", format("port {} is open", port));
    return true;
  }

  static bool Shake(const Plan& plan, const std::optional<Proxy>& proxy,
                    const PemBundle& credentials, CheckList& steps) {
    const std::string& host = plan.network.agg_addr;
    if (!plan.network.tls) {
      steps.Warn("TLS", "switched off by the plan (network.settings.use_tls)",
                 "leave it off only on a network that is not shared");
      return true;
    }
    if (const Status tls = ProbeTls(host, plan.network.agg_port, credentials, kPatience, proxy);
        !tls) {
      steps.Bad("TLS", tls.error());
      return false;
    }
    steps.Good("TLS", format("the aggregator's certificate is for {}, and it accepts ours", host));
    return true;
  }

  static void Ask(const Plan& plan, const CollaboratorName& name, const std::optional<Proxy>& proxy,
                  PemBundle credentials, CheckList& steps) {
    const Status answer = AskForNothing(plan, name, proxy, std::move(credentials));
    if (answer) {
      steps.Good("authorization", format("{} may take part", name.value));
      steps.Good("plan digest", "the aggregator has the same plan");
    } else if (IsAboutTheCaller(answer.error())) {
      steps.Bad("authorization", answer.error());
    } else if (answer.error().code() == ErrorCode::kInvalidArgument) {
      steps.Good("authorization", format("{} may take part", name.value));
      steps.Bad("plan digest", answer.error());
    } else {
      steps.Bad("first call", answer.error());
    }
  }

  std::string name_;
  std::string plan_ = "plan/plan.yaml";
  std::string site_ = kSiteFile;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCollaboratorPing() {
  return std::make_unique<CollaboratorPing>();
}

}  // namespace fx
