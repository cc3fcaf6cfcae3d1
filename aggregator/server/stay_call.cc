// Stay: open for as long as the caller is there, or until it says so anew: of a connection that was
// lost without a word, the end is noticed later than the beginning of the next.
#include <optional>
#include <utility>

#include "aggregator/server/calls.h"
#include "rpc/status.h"

namespace fx::aggregator {
namespace {

class StayCall final : public grpc::ServerUnaryReactor {
 public:
  explicit StayCall(CallEnv& env) : env_(env), request_(env.waiters.NewRequest()) {}

  // Finishes the call now, or leaves that to the caller's going or the aggregator's end.
  void Start(grpc::CallbackServerContext& context, const wire::StayRequest& request) {
    const auto caller = Authenticate(env_, context, request.header());
    if (!caller) return Finish(Refuse("Stay", context, caller.error()));
    visit_.emplace(env_.attendance, caller->who());
    const Status added = env_.waiters.AddStay(
        request_, {.who = caller->who(),
                   .answer = [this](const Reply& reply) { End(reply); },
                   .still_welcome = [c = *caller] { return c.StillWelcome(); }});
    if (!added) return Finish(ToGrpc(added.error()));
    // As in TasksCall: what changed before this was among the waiters has not found it there.
    const Status welcome = caller->StillWelcome();
    if (!welcome && env_.waiters.Take(request_)) Finish(ToGrpc(welcome.error()));
  }

  void OnCancel() override {
    if (env_.waiters.Take(request_)) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void End(const Reply& reply) {
    visit_.reset();  // a lost connection may keep the call itself for longer
    const auto* error = std::get_if<Error>(&reply);
    Finish(error == nullptr ? grpc::Status::OK : ToGrpc(*error));
  }

  CallEnv& env_;
  const RequestId request_;
  std::optional<Attendance::Visit> visit_;
};

}  // namespace

grpc::ServerUnaryReactor* StartStay(CallEnv& env, grpc::CallbackServerContext& context,
                                    const wire::StayRequest& request) {
  auto* const call = new StayCall(env);  // deletes itself in OnDone
  call->Start(context, request);
  return call;
}

}  // namespace fx::aggregator
