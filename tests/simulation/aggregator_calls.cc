// What the server does with calls, beside the shell.
#include <algorithm>
#include <variant>

#include "core/base/format.h"
#include "tests/simulation/aggregator_host.h"
#include "tests/simulation/fake_training.h"

namespace fx::sim {
namespace {

constexpr std::size_t kChunkBytes = 32;

std::string PartName(const CollaboratorName& who, const TaskResult& result) {
  std::string name = SpoolName(result.round, who, result.task, result.update);
  return name.substr(0, name.size() - 4) + ".part";
}

}  // namespace

void AggregatorHost::OnUp(const CallPtr& call, const Up& message) {
  fuse_.Burn();
  std::visit([&](const auto& what) { On(call, what); }, message);
}

void AggregatorHost::OnCancel(const CallPtr& call) {
  if (const auto ask = process_->asks.find(call->id); ask != process_->asks.end()) {
    process_->waiters.Take(ask->second);
    return;
  }
  auto& [active, waiting] = process_->uploads[call->who];
  if (waiting && waiting->call == call) waiting.reset();
  if (active && active->call == call && !active->committing) EndUpload(call->who, std::nullopt);
}

void AggregatorHost::Answer(const CallPtr& call, const aggregator::Reply& reply,
                            const std::optional<TaskResult>& result) {
  witness_.Answers(call->who, reply, result);
  fuse_.Burn();
  if (call->server_open) wire_.SendDown(call, reply);
}

void AggregatorHost::On(const CallPtr& call, const Ask& ask) {
  const RequestId request = process_->waiters.NewRequest();
  process_->asks[call->id] = request;
  const Status added =
      process_->waiters.AddTasks(request, {.who = call->who,
                                           .leaving = ask.leaving,
                                           .answer = [this, call](const aggregator::Reply& reply) {
                                             Answer(call, reply, std::nullopt);
                                           }});
  if (!added) return Answer(call, added.error(), std::nullopt);
  Post(aggregator::TasksRequested{.who = call->who, .request = request});
}

void AggregatorHost::On(const CallPtr& call, const Fetch& fetch) {
  const std::string name = ModelName(fetch.model);
  if (!disk_.Exists(name)) {
    return Answer(call, Error(ErrorCode::kNotFound, "no such model"), std::nullopt);
  }
  const std::string& bytes = disk_.Read(name);
  for (std::size_t at = fetch.offset; at < bytes.size(); at += kChunkBytes) {
    wire_.SendDown(call, Bytes{bytes.substr(at, kChunkBytes)});
  }
  Answer(call, aggregator::AcceptedReply{}, std::nullopt);
}

// As upload_judge.cc does.
std::optional<Error> AggregatorHost::Judge(const CollaboratorName& who,
                                           const TaskResult& result) const {
  const aggregator::RoundView view = process_->board.ViewFor(who);
  if (result.round != view.round) {
    return Error(ErrorCode::kAborted, format("the federation is in round {}", Number(view.round)));
  }
  const auto task = view.tasks.find(result.task);
  if (task == view.tasks.end()) {
    return Error(ErrorCode::kInvalidArgument, "the task was not assigned");
  }
  const bool already = task->second && *task->second == result.update;
  if (already || (view.collecting && !task->second)) return std::nullopt;
  return Error(ErrorCode::kAborted, "the round is closed, or has another result");
}

void AggregatorHost::On(const CallPtr& call, const TaskResult& result) {
  if (const auto objection = Judge(call->who, result)) {
    return Answer(call, *objection, std::nullopt);
  }
  const auto accepted = process_->board.ViewFor(call->who).tasks.at(result.task);
  if (result.size == 0 || accepted) return Stage(call, result);
  Upload upload{.call = call, .ticket = result, .part = {}};
  auto& [active, waiting] = process_->uploads[call->who];
  if (!active) return Begin(std::move(upload));
  const Error displaced(ErrorCode::kCancelled, "a newer upload came");
  if (waiting) Answer(waiting->call, displaced, std::nullopt);
  waiting = std::move(upload);
  if (!active->committing) EndUpload(call->who, displaced);
}

void AggregatorHost::Begin(Upload upload) {
  const CallPtr call = upload.call;
  const TaskResult result = upload.ticket;
  if (const auto objection = Judge(call->who, result)) {
    return Answer(call, *objection, std::nullopt);
  }
  if (disk_.Exists(SpoolName(result.round, call->who, result.task, result.update))) {
    return Stage(call, result);
  }
  upload.part = PartName(call->who, result);
  std::string& known = process_->partials[call->who];
  if (!known.empty() && known != upload.part && disk_.Exists(known)) disk_.Remove(known);
  known = upload.part;
  if (!disk_.Exists(upload.part)) disk_.Truncate(upload.part);
  if (disk_.Read(upload.part).size() > result.size) disk_.Truncate(upload.part);
  const std::uint64_t offset = disk_.Read(upload.part).size();
  upload.resumed = offset > 0;
  process_->uploads[call->who].active = std::move(upload);
  wire_.SendDown(call, Offset{offset});
  CommitIfComplete(call->who);
}

void AggregatorHost::On(const CallPtr& call, const Bytes& bytes) {
  const auto& active = process_->uploads[call->who].active;
  if (!active || active->call != call || active->committing) return;
  if (!disk_.Exists(active->part) || !disk_.Append(active->part, bytes.value)) {
    return EndUpload(call->who, Error(ErrorCode::kUnavailable, "cannot store the update now"));
  }
  CommitIfComplete(call->who);
}

void AggregatorHost::CommitIfComplete(const CollaboratorName& who) {
  Upload& upload = *process_->uploads[who].active;
  const std::string& bytes = disk_.Read(upload.part);
  if (bytes.size() < upload.ticket.size) return;
  if (UpdateIdOf(bytes) != upload.ticket.update) {
    disk_.Remove(upload.part);
    return EndUpload(who,
                     Error(upload.resumed ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument,
                           "the bytes are not what was announced"));
  }
  upload.committing = true;
  Io([this, who] { Commit(who); });
}

void AggregatorHost::Commit(const CollaboratorName& who) {
  const Upload upload = *process_->uploads[who].active;
  if (!disk_.Exists(upload.part)) {  // swept meanwhile
    return EndUpload(who, Error(ErrorCode::kUnavailable, "cannot store the update now"));
  }
  disk_.Sync(upload.part);
  const TaskResult& ticket = upload.ticket;
  disk_.RenameDurably(upload.part, SpoolName(ticket.round, who, ticket.task, ticket.update));
  EndUpload(who, std::nullopt);
  Stage(upload.call, ticket);
}

// The collaborator's partial file is free for the upload that waits.
void AggregatorHost::EndUpload(const CollaboratorName& who, std::optional<Error> error) {
  auto& [active, waiting] = process_->uploads[who];
  const CallPtr call = active->call;
  active.reset();
  if (error) Answer(call, *error, std::nullopt);
  if (waiting) Begin(*std::exchange(waiting, std::nullopt));
}

void AggregatorHost::Stage(const CallPtr& call, const TaskResult& result) {
  const RequestId request = process_->waiters.NewRequest();
  const Status added = process_->waiters.AddUpload(
      request, {.who = call->who, .answer = [this, call, result](const aggregator::Reply& reply) {
                  Answer(call, reply, result);
                }});
  if (!added) return Answer(call, added.error(), std::nullopt);
  Post(aggregator::ResultStaged{.who = call->who,
                                .request = request,
                                .round = result.round,
                                .task = result.task,
                                .update = result.update,
                                .num_samples = result.num_samples,
                                .metrics = result.metrics});
}

}  // namespace fx::sim
