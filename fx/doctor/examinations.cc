#include "fx/doctor/examinations.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "aggregator/standing.h"
#include "core/base/format.h"
#include "core/tensor/model_file.h"
#include "fx/aggregator/watch.h"
#include "pki/cert_store.h"
#include "pki/certificate.h"
#include "pki/certificate_authority.h"
#include "pki/expiry.h"
#include "pki/identity.h"
#include "plan/model_layout.h"
#include "plan/python_parts.h"
#include "rpc/pbuf.h"
#include "tasks/data_loader.h"
#include "tasks/task_runner.h"

namespace fx {
namespace {

constexpr std::int64_t kTolerance = 5 * 60;

void ExamineBundle(const std::string& name, const Result<PemBundle>& bundle, std::int64_t now,
                   const std::string& renew, CheckList& list) {
  if (!bundle) return list.Bad(name, bundle.error());
  const auto certificate = Certificate::FromPem(bundle->certificate, name);
  if (!certificate) return list.Bad(name, certificate.error());
  const std::string warning = ExpiryWarning(certificate->validity(), now);
  if (!warning.empty()) return list.Warn(name, warning, renew);
  list.Good(name, "valid until " + UtcText(certificate->validity().to));
}

// Seconds since the epoch; none if the file cannot be asked.
std::int64_t ChangedAt(const Path& file) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(file, error);
  if (error) return 0;
  const auto system = std::chrono::file_clock::to_sys(time);
  return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

class Socket {
 public:
  Socket() : fd_(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // 0, or the errno that says why not.
  int Bind(std::uint16_t port) const {
    if (fd_ < 0) return errno;
    const int yes = 1;  // as the aggregator does: the remains of old connections do not count
    setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_any;
    address.sin6_port = htons(port);
    const auto* const at = reinterpret_cast<const sockaddr*>(&address);
    if (bind(fd_, at, sizeof address) != 0 || listen(fd_, 1) != 0) return errno;
    return 0;
  }

 private:
  int fd_;
};

bool OursIsRunning(const Plan& plan) {
  const auto standing = aggregator::ReadStanding(".", plan);
  return standing && standing->has_value() && (*standing)->running;
}

// Of a network that is Python's, what its first model has.
std::uint64_t ModelBytes(const Plan& plan) {
  const Layout layout = ModelLayout(plan);
  if (!layout.empty()) return MapModelFile(layout).size;
  return FileSize(plan.aggregator.init_state_path).value_or(0);
}

std::string Megabytes(std::uint64_t bytes) {
  return format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

bool IsAggregator(const Plan& plan) {
  if (!plan.network.tls && Exists(plan.aggregator.init_state_path)) return true;
  const auto identity = Identity::Aggregator(plan.network.agg_addr);
  if (!identity) return false;
  const Path& certs = plan.network.cert_folder;
  return Exists(identity->File(certs, ".key")) || Exists(identity->File(certs, ".csr"));
}

void WarnOfNoRole(const Plan& plan, bool has_sites, CheckList& list) {
  const std::string& name = plan.network.agg_addr;
  if (CertificateAuthority::ExistsIn(plan.network.cert_folder)) {
    list.Warn("certificate of the aggregator",
              format("the authority is here, but neither a key nor a request of {}", name),
              format("fx aggregator generate-cert-request --fqdn {0}, then fx aggregator certify "
                     "--fqdn {0}; nothing, if the aggregator runs elsewhere",
                     name));
  } else if (!has_sites) {
    list.Warn("role", format("nothing here belongs to the aggregator, {}, or to a site", name),
              "at the aggregator: fx workspace certify; at a site: fx collaborator create");
  }
}

void ExamineClock(const Path& plan_file, std::int64_t now, CheckList& list) {
  const std::int64_t newest = std::max(ChangedAt(plan_file), ChangedAt(ChainFile("cert")));
  if (newest <= now + kTolerance) return list.Good("clock", UtcText(now));
  list.Warn(
      "clock", format("it is {}, but a file here was changed at {}", UtcText(now), UtcText(newest)),
      "set the clock: certificates count by it; timedatectl shows whether it is kept in time");
}

void ExamineAggregatorCertificate(const Plan& plan, std::int64_t now, CheckList& list) {
  ExamineBundle("certificate of the aggregator",
                LoadAggregatorCredentials(plan.network.cert_folder, plan.network.agg_addr), now,
                "fx pki renew", list);
}

void ExamineRevocationList(const Plan& plan, std::int64_t now, CheckList& list) {
  const std::string name = "revocation list";
  const auto revoked = LoadListInForce(plan.network.cert_folder);
  if (!revoked) return list.Bad(name, revoked.error());
  if (!revoked->has_value()) return;
  const std::string warning = ExpiryWarning((*revoked)->validity(), now);
  if (!warning.empty()) return list.Warn(name, warning, "fx pki renew --crl");
  list.Good(name, "next due on " + UtcText((*revoked)->validity().to));
}

void ExamineCollaboratorCertificate(const Plan& plan, const CollaboratorName& name,
                                    std::int64_t now, CheckList& list) {
  ExamineBundle("certificate of " + name.value,
                LoadCollaboratorCredentials(plan.network.cert_folder, name), now,
                "fx pki renew, or a new request to whoever signs", list);
}

void ExamineInitialModel(const Plan& plan, CheckList& list) {
  const Path& file = plan.aggregator.init_state_path;
  const auto model = ReadPbuf(file);
  if (!model) {
    return list.Bad("initial model", Error(model.error()).Hint("fx plan initialize makes it"));
  }
  const Layout expected = ModelLayout(plan);
  const Status fits = expected.empty() ? Ok() : CheckLayout(LayoutOf(model->model), expected);
  if (!fits) {
    return list.Bad("initial model",
                    Error(fits.error())
                        .In(format("{} is not of the plan's network", file.string()))
                        .Hint("the plan was changed after it was made: run fx plan initialize"));
  }
  list.Good("initial model", format("{}, {} tensors", file.string(), model->model.size()));
}

void ExaminePort(const Plan& plan, CheckList& list) {
  const std::uint16_t port = plan.network.agg_port;
  const Socket socket;
  const int error = socket.Bind(port);
  if (error == 0) return list.Good("port", format("{} is free", port));
  if (error == EADDRINUSE && OursIsRunning(plan)) {
    return list.Good("port", format("{} is the one this workspace's aggregator listens on", port));
  }
  const std::string reason = std::generic_category().message(error);
  list.Bad("port", Error(ErrorCode::kUnavailable,
                         error == EADDRINUSE ? format("port {} is taken by another program", port)
                                             : format("port {} cannot be used: {}", port, reason))
                       .Hint(format("`ss -tlnp sport = :{}` shows who has it; or choose another: "
                                    "fx plan set network.settings.agg_port NUMBER",
                                    port)));
}

void ExamineDisk(const Plan& plan, bool aggregator, CheckList& list) {
  std::error_code error;
  const auto space = std::filesystem::space(".", error);
  if (error) {
    return list.Bad("disk space", Error(ErrorCode::kUnknown, "cannot ask: " + error.message()));
  }
  // An aggregator keeps an update of each site and task, committed models, and three model files; a
  // site keeps its models and results, with an optimizer's state that may be twice as large.
  const std::uint64_t sites = std::max<std::size_t>(1, plan.authorized.size());
  const std::uint64_t models = aggregator
                                   ? sites * plan.tasks.size() + plan.aggregator.db_store_rounds + 4
                                   : plan.collaborator.db_store_rounds + 3 * plan.tasks.size() + 2;
  const std::uint64_t needed = models * ModelBytes(plan);
  const std::string found =
      format("{} free, up to {} needed", Megabytes(space.available), Megabytes(needed));
  if (space.available >= needed) return list.Good("disk space", found);
  list.Bad("disk space", Error(ErrorCode::kResourceExhausted, found)
                             .Hint("make room, or move the workspace to a larger disk"));
}

void ExamineData(const Plan& plan, const CollaboratorName& name, const std::string& data_path,
                 CheckList& list) {
  const std::string check = "data of " + name.value;
  if (const Status native = CheckNative(plan); !native) return list.Bad(check, native.error());
  const auto data = MakeDataLoader(plan.data_loader, data_path);
  if (!data) return list.Bad(check, data.error());
  if (const auto runner = MakeTaskRunner(plan.task_runner, plan.data_loader, **data); !runner) {
    return list.Bad(check, Error(runner.error()).In("cannot train on the data " + data_path));
  }
  list.Good(check, format("{} samples to train on and {} to validate with, each {}",
                          (*data)->train().size(), (*data)->validation().size(),
                          ToString((*data)->train().sample_shape())));
}

}  // namespace fx
