// Upload, a stream of raw chunks to a file.
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/server/calls.h"
#include "aggregator/server/update_scan.h"
#include "core/base/digest.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "rpc/bytes.h"
#include "rpc/channel_options.h"
#include "rpc/status.h"

namespace fx::aggregator {
namespace {

// The bytes of one update on their way to the spool. Removes its file unless the spool took it
// over.
class Incoming {
 public:
  static Result<std::unique_ptr<Incoming>> Open(const CallEnv& env, Path temp) {
    auto file = OutputFile::Open(temp, OutputFile::Existing::kTruncate, FileMode::kPrivate);
    if (!file) return Fail(Storage(std::move(file).error()));
    return std::unique_ptr<Incoming>(new Incoming(env, std::move(temp), *std::move(file)));
  }
  ~Incoming() {
    if (!committed_) static_cast<void>(RemoveIfExists(temp_));
  }
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  bool complete() const { return scan_.complete(); }

  Status Append(std::span<const std::byte> bytes) {
    const std::uint64_t offset = scan_.position();
    TRY(scan_.Feed(bytes));
    digest_.Update(bytes);
    if (auto written = file_.WriteAt(offset, bytes); !written) {
      return Fail(Storage(std::move(written).error()));
    }
    return Ok();
  }

  Status CheckDigest(const UpdateId& expected) {
    const std::string digest = std::move(digest_).FinishHex();
    if (digest == expected.value) return Ok();
    return Fail(ErrorCode::kInvalidArgument,
                format("the bytes of the update have digest {}, but {} was announced", digest,
                       expected.value));
  }

  // Blocks for as long as the disk takes.
  Status Commit(const Spool& spool, const UploadTicket& ticket) {
    Status done = file_.Sync();
    if (done) done = spool.Commit(temp_, ticket.round, ticket.who, ticket.task, ticket.update);
    if (!done) return Fail(Storage(std::move(done).error()));
    committed_ = true;
    return Ok();
  }

 private:
  Incoming(const CallEnv& env, Path temp, OutputFile file)
      : temp_(std::move(temp)), file_(std::move(file)), scan_(env.uploads) {}

  // The sender cannot help it and should try again; the administrator here must act.
  static Error Storage(Error error) {
    LogError("an update cannot be stored", {{"reason", error.OneLine()}});
    return Error(ErrorCode::kUnavailable, "the aggregator cannot store the update now")
        .Hint("its administrator finds the reason in its log; a full disk is the usual one");
  }

  const Path temp_;
  OutputFile file_;
  UpdateScan scan_;
  FastDigest digest_;
  bool committed_ = false;
};

using Stream = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

class UploadCall final : public Stream {
 public:
  UploadCall(CallEnv& env, grpc::CallbackServerContext& context)
      : env_(env), context_(context), request_(env.waiters.NewRequest()) {
    StartRead(&in_);
  }

  void OnReadDone(bool ok) override {
    const Status read = !ok ? EndedEarly() : !ticket_ ? OnHeader() : OnChunk();
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

  void OnDone() override {
    LeaveSlot();
    delete this;
  }

 private:
  static Status EndedEarly() {
    return Fail(ErrorCode::kCancelled, "the upload ended before it was complete");
  }

  Status OnHeader() {
    wire::UploadHeader header;
    TRY(Unpack(in_, header));
    in_.Clear();
    const CollaboratorName who = TRY(Authenticate(env_, context_, header.header()));
    ticket_ = TRY(JudgeUpload(header, who, env_.uploads, *env_.board.Get()));
    LogInfo(format("Collaborator {} is sending task results for {}, round {}", who.value,
                   ticket_->task.value, Number(ticket_->round)));
    const bool bytes_follow = ticket_->size > 0 && !ticket_->already_accepted;
    if (bytes_follow) TRY(Prepare());
    Answer(bytes_follow ? 0 : ticket_->size);
    if (bytes_follow) {
      StartRead(&in_);
    } else {
      Stage();
    }
    return Ok();
  }

  Status Prepare() {
    TRY(env_.slots.Enter(ticket_->who, request_, [this] { context_.TryCancel(); }));
    incoming_ = TRY(Incoming::Open(env_, env_.spool.TempPath(request_)));
    return Ok();
  }

  Status OnChunk() {
    if (in_.Length() == 0 || in_.Length() > kMaxChunkBytes) {
      return Fail(
          ErrorCode::kInvalidArgument,
          format("a message of {} bytes came, expected 1 to {}", in_.Length(), kMaxChunkBytes));
    }
    std::vector<grpc::Slice> slices;
    if (!in_.Dump(&slices).ok()) return Fail(ErrorCode::kInternal, "a message cannot be read");
    in_.Clear();
    for (const grpc::Slice& slice : slices) {
      TRY(incoming_->Append(std::as_bytes(std::span(slice.begin(), slice.size()))));
    }
    env_.slots.Touch(ticket_->who, request_);
    if (!incoming_->complete()) {
      StartRead(&in_);
      return Ok();
    }
    TRY(incoming_->CheckDigest(ticket_->update));
    LeaveSlot();
    if (env_.later([this] { CommitAndStage(); })) return Ok();
    return Fail(ErrorCode::kUnavailable, "the aggregator is busy or stopping");
  }

  void CommitAndStage() {  // on the I/O thread
    const Status committed = incoming_->Commit(env_.spool, *ticket_);
    if (!committed) return Conclude(committed.error());
    Stage();
  }

  // The object may be gone as soon as the event is posted, or when this returns.
  void Stage() {
    CallEnv& env = env_;
    const RequestId request = request_;
    ResultStaged event{.who = ticket_->who,
                       .request = request_,
                       .round = ticket_->round,
                       .task = ticket_->task,
                       .update = ticket_->update,
                       .num_samples = ticket_->num_samples,
                       .metrics = ticket_->metrics};
    const Status added = env.waiters.AddUpload(
        request, {.who = ticket_->who, .answer = [this](const Reply& r) { OnDecision(r); }});
    if (!added) return Conclude(added.error());
    if (env.post(std::move(event))) return;
    if (const auto waiter = env.waiters.Take(request)) {
      waiter->answer(Error(ErrorCode::kUnavailable, "the aggregator is busy or stopping"));
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
    if (error) {
      incoming_.reset();  // no trace is left when the sender hears of it
      conclusion_ = Refuse("Upload", context_, *error);
    }
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
  std::optional<UploadTicket> ticket_;  // once the header is judged
  std::unique_ptr<Incoming> incoming_;
  grpc::ByteBuffer in_, out_;
  grpc::Status conclusion_;

  std::mutex mutex_;
  bool writing_ = false;
  bool concluded_ = false;
};

}  // namespace

Stream* StartUpload(CallEnv& env, grpc::CallbackServerContext& context) {
  return new UploadCall(env, context);  // deletes itself in OnDone
}

}  // namespace fx::aggregator
