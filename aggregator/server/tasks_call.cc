// GetTasks, a long poll.
#include <optional>
#include <utility>

#include "aggregator/server/calls.h"
#include "rpc/status.h"

namespace fx::aggregator {
namespace {

class TasksCall final : public grpc::ServerUnaryReactor {
 public:
  TasksCall(CallEnv& env, wire::GetTasksResponse& response)
      : env_(env), response_(response), request_(env.waiters.NewRequest()) {}

  // Finishes the call now, or leaves that to the engine.
  void Start(grpc::CallbackServerContext& context, const wire::GetTasksRequest& request) {
    const auto caller = Authenticate(env_, context, request.header());
    if (!caller) return Finish(Refuse("GetTasks", context, caller.error()));
    const CollaboratorName& who = caller->who();
    visit_.emplace(env_.attendance, who);
    const Status added = env_.waiters.AddTasks(
        request_, {.who = who,
                   .leaving = request.leaving(),
                   .answer = [this](const Reply& reply) { Answer(reply); },
                   .still_welcome = [c = *caller] { return c.StillWelcome(); }});
    if (!added) return Finish(ToGrpc(added.error()));
    // A revocation that came before this was among the waiters has not found it there.
    if (const Status welcome = caller->StillWelcome(); !welcome) {
      if (env_.waiters.Take(request_)) Finish(ToGrpc(welcome.error()));
      return;
    }
    if (env_.post(TasksRequested{.who = who, .request = request_})) return;
    if (env_.waiters.Take(request_)) {
      Finish(ToGrpc(Error(ErrorCode::kUnavailable, "the aggregator is busy or stopping")));
    }
  }

  void OnCancel() override {
    if (env_.waiters.Take(request_)) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  void Answer(const Reply& reply) {
    visit_.reset();  // a lost connection may keep the call itself for longer
    if (const auto* error = std::get_if<Error>(&reply)) return Finish(ToGrpc(*error));
    if (const auto* tasks = std::get_if<TasksReply>(&reply)) {
      response_.set_round(Number(tasks->round));
      for (const TaskName& task : tasks->tasks) response_.add_tasks(task.value);
      response_.set_model_id(tasks->model.value);
      response_.set_model_size(tasks->model_size);
      response_.set_counted_update(tasks->counted.value);
    }
    response_.set_quit(std::holds_alternative<QuitReply>(reply));
    Finish(grpc::Status::OK);
  }

  CallEnv& env_;
  wire::GetTasksResponse& response_;
  const RequestId request_;
  std::optional<Attendance::Visit> visit_;
};

}  // namespace

grpc::ServerUnaryReactor* StartTasksCall(CallEnv& env, grpc::CallbackServerContext& context,
                                         const wire::GetTasksRequest& request,
                                         wire::GetTasksResponse& response) {
  auto* const call = new TasksCall(env, response);  // deletes itself in OnDone
  call->Start(context, request);
  return call;
}

}  // namespace fx::aggregator
