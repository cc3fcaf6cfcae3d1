#include "rpc/grpc_log.h"

#include <grpc/support/log.h>

#include <atomic>

#include "core/base/log.h"

namespace fx {
namespace {

std::atomic<GrpcRole> g_role{GrpcRole::kServer};

void OnGrpcLog(gpr_log_func_args* args) {
  if (const auto words = ExplainGrpcLog(args->message, g_role)) LogWarning(*words);
}

}  // namespace

void InstallGrpcLog(GrpcRole role) {
  g_role = role;
  gpr_set_log_function(OnGrpcLog);
}

std::optional<std::string> ExplainGrpcLog(std::string_view line, GrpcRole role) {
  if (line.find("Handshake failed") == std::string_view::npos) return std::nullopt;
  return role == GrpcRole::kServer ? std::string("a client was refused") : std::string("refused");
}

}  // namespace fx
