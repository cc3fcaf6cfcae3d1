// Upload, a stream of raw chunks to a file.
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "aggregator/server/calls.h"
#include "aggregator/server/incoming_update.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "rpc/bytes.h"
#include "rpc/channel_options.h"
#include "rpc/status.h"

namespace fx::aggregator {
namespace {

// Looked at in one go of what an earlier connection left, so that jobs of others are not kept
// waiting.
constexpr std::size_t kRecallAtOnce = 16U << 20;

EventBody EventOf(const UploadTicket& ticket, RequestId request) {
  if (!ticket.failure.empty()) {
    return TaskFailed{.who = ticket.who,
                      .request = request,
                      .round = ticket.round,
                      .task = ticket.task,
                      .reason = ticket.failure};
  }
  return ResultStaged{.who = ticket.who,
                      .request = request,
                      .round = ticket.round,
                      .task = ticket.task,
                      .update = ticket.update,
                      .num_samples = ticket.num_samples,
                      .metrics = ticket.metrics};
}

using Stream = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

class UploadCall final : public Stream {
 public:
  UploadCall(CallEnv& env, grpc::CallbackServerContext& context)
      : env_(env), context_(context), request_(env.waiters.NewRequest()) {
    StartRead(&in_);
  }

  void OnReadDone(bool ok) override {
    const Status read = !ok ? Fail(EndedEarly()) : !ticket_ ? OnHeader() : OnChunk();
    if (!read) Conclude(read.error());
  }

  void OnWriteDone(bool) override {
    bool due = false;
    {
      const std::lock_guard lock(mutex_);
      writing_ = false;
      due = concluded_;
    }
    if (due) End();
  }

  void OnCancel() override {
    cancelled_ = true;
    if (env_.slots.Withdraw(request_)) Conclude(EndedEarly());
  }

  void OnDone() override { delete this; }

 private:
  static Error EndedEarly() {
    return Error(ErrorCode::kCancelled, "the upload ended before it was complete");
  }
  static Error Busy() {
    return Error(ErrorCode::kUnavailable, "the aggregator is busy or stopping");
  }

  Status OnHeader() {
    wire::UploadHeader header;
    TRY(Unpack(in_, header));
    in_.Clear();
    caller_.emplace(TRY(Authenticate(env_, context_, header.header())));
    const CollaboratorName& who = caller_->who();
    ticket_ = TRY(JudgeUpload(header, who, env_.uploads, env_.board.ViewFor(who)));
    if (ticket_->failure.empty()) {
      LogInfo(format("Collaborator {} is sending task results for {}, round {}", who.value,
                     ticket_->task.value, Number(ticket_->round)));
    }
    if (ticket_->size == 0 || ticket_->already_accepted) {
      StageWhatIsHere();
    } else {
      WaitForSlot();
    }
    return Ok();
  }

  void WaitForSlot() {
    env_.slots.Enter({.who = ticket_->who,
                      .request = request_,
                      .begin = [this] { Begin(); },
                      .displace = [this] { context_.TryCancel(); }});
    // A cancellation that came before this was in the queue has not found it there.
    if (cancelled_ && env_.slots.Withdraw(request_)) Conclude(EndedEarly());
  }

  // On whatever thread made room. From here to LeaveSlot no other call touches the partial file.
  void Begin() {
    if (const Status open = OpenPartial(); !open) Conclude(open.error());
  }

  Status OpenPartial() {
    TRY(caller_->StillWelcome());
    TRY(JudgeAgain(*ticket_, env_.board.ViewFor(ticket_->who)));  // it may have waited
    const bool here =
        env_.spool.Holds(ticket_->round, ticket_->who, ticket_->task, ticket_->update);
    if (ticket_->already_accepted || here) {
      LeaveSlot();
      StageWhatIsHere();
      return Ok();
    }
    incoming_ = TRY(IncomingUpdate::Open(env_.uploads, env_.spool, *ticket_));
    if (!incoming_->recalling()) return Receive();
    return Later([this] { RecallSome(); });
  }

  void RecallSome() {  // on a disk thread
    if (cancelled_) return Conclude(EndedEarly());
    if (const Status wanted = CheckTime(); !wanted) return Conclude(wanted.error());
    env_.slots.Touch(ticket_->who, request_);
    Status done = incoming_->Recall(kRecallAtOnce);
    if (done) done = incoming_->recalling() ? Later([this] { RecallSome(); }) : Receive();
    if (!done) Conclude(done.error());
  }

  Status Receive() {
    if (incoming_->position() > 0) {
      LogInfo(format("Collaborator {} goes on with its results for {} at byte {} of {}",
                     ticket_->who.value, ticket_->task.value, incoming_->position(),
                     ticket_->size));
    }
    Answer(incoming_->position());
    return ReadOrCommit();
  }

  Status ReadOrCommit() {
    if (!incoming_->complete()) {
      StartRead(&in_);
      return Ok();
    }
    TRY(incoming_->CheckDigest());
    return Later([this] { CommitAndStage(); });
  }

  Status Later(std::function<void()> job) const {
    return env_.later(std::move(job)) ? Ok() : Fail(Busy());
  }

  // The round may be over in the middle of an upload; others wait for its slot.
  Status CheckTime() {
    if (env_.board.Takes(ticket_->round)) return Ok();
    incoming_->Drop();
    return JudgeAgain(*ticket_, env_.board.ViewFor(ticket_->who));
  }

  Status OnChunk() {
    TRY(caller_->StillWelcome());
    TRY(CheckTime());
    if (in_.Length() == 0 || in_.Length() > kMaxChunkBytes) {
      incoming_->Drop();
      return Fail(
          ErrorCode::kInvalidArgument,
          format("a message of {} bytes came, expected 1 to {}", in_.Length(), kMaxChunkBytes));
    }
    const MessagePieces message = TRY(MessagePieces::Of(in_));
    in_.Clear();
    TRY(incoming_->Append(message.get()));
    env_.slots.Touch(ticket_->who, request_);
    env_.attendance.Heard(ticket_->who);
    return ReadOrCommit();
  }

  void CommitAndStage() {  // on a disk thread
    if (const Status committed = incoming_->Commit(); !committed) {
      return Conclude(committed.error());
    }
    incoming_.reset();
    LeaveSlot();
    Stage();
  }

  // No bytes need to come.
  void StageWhatIsHere() {
    Answer(ticket_->size);
    Stage();
  }

  // The object may be gone as soon as the event is posted, or when this returns.
  void Stage() {
    if (const Status welcome = caller_->StillWelcome(); !welcome) {
      return Conclude(welcome.error());
    }
    CallEnv& env = env_;
    const RequestId request = request_;
    EventBody event = EventOf(*ticket_, request_);
    const Status added = env.waiters.AddUpload(
        request, {.who = ticket_->who, .answer = [this](const Reply& r) { OnDecision(r); }});
    if (!added) return Conclude(added.error());
    if (env.post(std::move(event))) return;
    if (const auto waiter = env.waiters.Take(request)) {
      waiter->answer(Busy());
    }
  }

  void OnDecision(const Reply& reply) {
    if (const auto* error = std::get_if<Error>(&reply)) return Conclude(*error);
    Conclude(std::nullopt);
  }

  void Answer(std::uint64_t offset) {
    wire::UploadReply reply;
    reply.set_offset(offset);
    out_ = Pack(reply);
    {
      const std::lock_guard lock(mutex_);
      writing_ = true;
    }
    StartWrite(&out_);
  }

  // Once: ends the call as accepted, or with an error. From any thread, with no read under way. The
  // first reply may still be on its way out, and gRPC takes one write at a time: then OnWriteDone
  // ends the call. The two meet under the mutex, and exactly one of them goes on.
  void Conclude(const std::optional<Error>& error) {
    incoming_.reset();
    LeaveSlot();
    if (error) conclusion_ = Refuse("Upload", context_, *error);
    bool due = false;
    {
      const std::lock_guard lock(mutex_);
      concluded_ = true;
      due = !writing_;
    }
    if (due) End();
  }

  // The object may be gone when this returns.
  void End() {
    if (!conclusion_.ok()) return Finish(conclusion_);
    wire::UploadReply reply;
    reply.set_accepted(true);
    out_ = Pack(reply);
    StartWriteAndFinish(&out_, grpc::WriteOptions(), grpc::Status::OK);
  }

  void LeaveSlot() {
    if (ticket_) env_.slots.Leave(ticket_->who, request_);
  }

  CallEnv& env_;
  grpc::CallbackServerContext& context_;
  const RequestId request_;
  std::optional<Caller> caller_;              // once it is let in
  std::optional<UploadTicket> ticket_;        // once the header is judged
  std::unique_ptr<IncomingUpdate> incoming_;  // while the slot is held
  grpc::ByteBuffer in_, out_;
  grpc::Status conclusion_;

  std::atomic<bool> cancelled_ = false;

  std::mutex mutex_;
  bool writing_ = false;
  bool concluded_ = false;
};

}  // namespace

Stream* StartUpload(CallEnv& env, grpc::CallbackServerContext& context) {
  return new UploadCall(env, context);  // deletes itself in OnDone
}

}  // namespace fx::aggregator
