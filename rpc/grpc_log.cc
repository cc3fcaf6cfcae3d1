#include "rpc/grpc_log.h"

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <atomic>

#include "core/base/log_throttle.h"

namespace fx {
namespace {

std::atomic<GrpcRole> g_role{GrpcRole::kServer};

void OnGrpcLog(gpr_log_func_args* args) {
  static LogThrottle throttle;  // anybody who reaches the port can fail a handshake
  if (const auto words = ExplainGrpcLog(args->message, g_role)) throttle.Warn(*words);
}

// OpenSSL's own words: what follows the last colon.
std::string Reason(std::string_view line) {
  line = line.substr(line.rfind(':') + 1);  // npos + 1 is 0
  return std::string(line.substr(0, line.find_last_not_of(". ") + 1));
}

}  // namespace

void InstallGrpcLog(GrpcRole role) {
  g_role = role;
  gpr_set_log_function(OnGrpcLog);
  google::protobuf::SetLogHandler(nullptr);  // it writes a line for each text that is not UTF-8
}

std::optional<std::string> ExplainGrpcLog(std::string_view line, GrpcRole role) {
  const auto says = [&](std::string_view words) {
    return line.find(words) != std::string_view::npos;
  };
  if (!says("Handshake failed")) return std::nullopt;
  const bool server = role == GrpcRole::kServer;
  const std::string peer = server ? "a client" : "the aggregator";
  if (says("certificate verify failed")) {
    return peer +
           " was refused during the TLS handshake: its certificate is not signed by this "
           "federation's authority (cert/cert_chain.crt), or has expired, or is for the other role";
  }
  if (says("alert")) {
    return peer +
           " refused our certificate during the TLS handshake: it has expired, or the authority "
           "of the other side (cert/cert_chain.crt there) did not sign it";
  }
  if (says("did not return a certificate")) {
    return peer + " was refused during the TLS handshake: it showed no certificate";
  }
  return peer + " was refused during the TLS handshake: it does not speak TLS 1.3 as we do (" +
         Reason(line) + ")";
}

}  // namespace fx
