#include "aggregator/server/calls.h"

#include "core/base/log_throttle.h"
#include "rpc/credentials.h"
#include "rpc/status.h"

namespace fx::aggregator {

Result<Caller> Authenticate(const CallEnv& env, grpc::CallbackServerContext& context,
                            const wire::Header& header) {
  const auto peer = context.auth_context();
  Result<Caller> caller = env.gate.Admit(header, PeerNames(*peer), PeerCertificate(*peer));
  if (caller) env.attendance.Heard(caller->who());
  return caller;
}

grpc::Status Refuse(std::string_view call, const grpc::CallbackServerContext& context,
                    const Error& error) {
  // Asked for what is not there any more, or by a ping what never was.
  if (error.code() == ErrorCode::kNotFound) return ToGrpc(error);
  static LogThrottle throttle;
  throttle.Warn(
      "refused a call",
      {{"call", std::string(call)}, {"peer", context.peer()}, {"reason", error.OneLine()}});
  return ToGrpc(error);
}

}  // namespace fx::aggregator
