#include "aggregator/server/waiters.h"

#include <iterator>

#include "core/base/format.h"

namespace fx::aggregator {
namespace {

Error Superseded(std::string_view what, const CollaboratorName& who) {
  return Error(ErrorCode::kAborted, format("another {} came in under the name {}", what, who.value))
      .Hint("only one process may run under a collaborator's name: stop the other one");
}

}  // namespace

RequestId Waiters::NewRequest() {
  const std::lock_guard lock(mutex_);
  return RequestId{++last_request_};
}

Status Waiters::AddLocked(RequestId request, Waiter waiter) {
  if (closed_) return Fail(ErrorCode::kUnavailable, "the aggregator is stopping");
  entries_.emplace(request, Entry{.waiter = std::move(waiter)});
  return Ok();
}

Status Waiters::AddTasks(RequestId request, Waiter waiter) {
  return AddOnly(asking_, "call for tasks", request, std::move(waiter));
}

Status Waiters::AddStay(RequestId request, Waiter waiter) {
  return AddOnly(staying_, "sign of life", request, std::move(waiter));
}

Status Waiters::AddOnly(LastCalls& calls, std::string_view what, RequestId request, Waiter waiter) {
  std::optional<Waiter> older;
  const CollaboratorName who = waiter.who;
  {
    const std::lock_guard lock(mutex_);
    TRY(AddLocked(request, std::move(waiter)));
    if (const auto last = calls.find(who); last != calls.end()) {
      auto node = entries_.extract(last->second);
      if (!node.empty()) older = std::move(node.mapped().waiter);
    }
    calls[who] = request;
  }
  if (older) older->answer(Superseded(what, who));
  return Ok();
}

Status Waiters::AddUpload(RequestId request, Waiter waiter) {
  const std::lock_guard lock(mutex_);
  return AddLocked(request, std::move(waiter));
}

std::optional<Waiter> Waiters::Take(RequestId request) {
  const std::lock_guard lock(mutex_);
  auto node = entries_.extract(request);
  if (node.empty()) return std::nullopt;
  return std::move(node.mapped().waiter);
}

void Waiters::Park(RequestId request) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(request);
  if (entry != entries_.end()) entry->second.parked = true;
}

std::vector<std::pair<CollaboratorName, RequestId>> Waiters::Unpark() {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<CollaboratorName, RequestId>> woken;
  for (auto& [request, entry] : entries_) {
    if (std::exchange(entry.parked, false)) woken.emplace_back(entry.waiter.who, request);
  }
  return woken;
}

void Waiters::Dismiss() {
  std::vector<std::pair<Waiter, Error>> dismissed;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end();) {
      const Waiter& waiter = at->second.waiter;
      const Status welcome = waiter.still_welcome ? waiter.still_welcome() : Ok();
      if (!welcome) dismissed.emplace_back(std::move(at->second.waiter), welcome.error());
      at = welcome ? std::next(at) : entries_.erase(at);
    }
  }
  for (const auto& [waiter, error] : dismissed) waiter.answer(error);
}

void Waiters::Close(const Error& error) {
  std::map<RequestId, Entry> left;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    left.swap(entries_);
  }
  for (const auto& [request, entry] : left) entry.waiter.answer(error);
}

}  // namespace fx::aggregator
