#include "aggregator/shell.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <utility>
#include <variant>

#include "core/base/failpoint.h"
#include "core/base/format.h"
#include "core/base/log.h"

namespace fx::aggregator {
namespace {

// What the failpoints of an action are called; in the order of the alternatives of Action.
[[maybe_unused]] constexpr std::array<std::string_view, std::variant_size_v<Action>> kActionScopes =
    {"reply_tasks", "reply_wait", "reply_quit",   "reply_accepted", "reply_rejected", "aggregate",
     "save_best",   "save_last",  "wake_waiters", "prune",          "shutdown",       "pause"};
constexpr std::int64_t kIdleMs = 3'600'000;  // the engine wakes at least so often

}  // namespace

Shell::Shell(const Plan& plan, ShellOptions options, ShellPorts& ports, Waiters& waiters,
             RoundBoard& board)
    : plan_(plan),
      options_(std::move(options)),
      ports_(ports),
      waiters_(waiters),
      board_(board),
      members_(plan.authorized),
      engine_(OptionsFor(plan)),
      report_(plan, options_.table) {}

Status Shell::Replay() {
  for (const Journal::Entry& entry : TRY(ports_.LoadJournal())) {
    engine_.Replay(entry.record);
    report_.Replayed(entry.at, entry.record);
    if (options_.observe) options_.observe(entry.at, entry.record);
  }
  already_finished_ = state().phase == Phase::kFinished;
  board_.Publish(state());
  return Ok();
}

Status Shell::Start(const ModelId& model, std::uint64_t model_size, std::vector<ResultKey> lost) {
  model_size_ = model_size;
  WriteMetrics();
  TRY(Execute(engine_.Resume(), ports_.Now()));
  return Process({Started{.model = model, .lost = std::move(lost)}}, ports_.Now());
}

Status Shell::Turn(std::vector<EventBody> events) {
  if (!events.empty()) TRY(Process(std::move(events), ports_.Now()));
  return TickIfDue();
}

void Shell::TakeMembers(const std::vector<CollaboratorName>& members) {
  members_ = members;
  std::erase_if(told_, [&](const CollaboratorName& who) {
    return std::ranges::find(members_, who) == members_.end();
  });
}

Status Shell::Process(std::vector<EventBody> events, TimeMs at) {
  while (!events.empty()) {
    Ready all;
    for (EventBody& event : events) {
      if (const auto* changed = std::get_if<MembersChanged>(&event)) TakeMembers(changed->members);
      Ready ready = engine_.Step({.at = at, .body = std::move(event)});
      std::ranges::move(ready.records, std::back_inserter(all.records));
      std::ranges::move(ready.actions, std::back_inserter(all.actions));
    }
    TRY(Execute(std::move(all), at));
    events = std::exchange(again_, {});
  }
  return Ok();
}

// Records are durable, and the round they make is on the board, before anyone hears of it.
Status Shell::Execute(Ready ready, TimeMs at) {
  if (!ready.records.empty()) {
    TRY(In(ports_.AppendToJournal(at, ready.records), "cannot write the journal"));
    board_.Publish(ready.records, state());
  }
  for (const Record& record : ready.records) {
    report_.Happened(at, record);
    if (options_.observe) options_.observe(at, record);
  }
  if (std::ranges::any_of(ready.records, [](const Record& record) {
        return std::holds_alternative<RoundClosed>(record);
      })) {
    WriteMetrics();
  }
  for (const Action& action : ready.actions) {
    FX_FAILPOINT_SCOPE(kActionScopes.at(action.index()));
    FX_FAILPOINT("before");
    std::visit([this](const auto& what) { Do(what); }, action);
    FX_FAILPOINT("after");
  }
  return Ok();
}

Status Shell::TickIfDue() {
  const auto deadline = engine_.NextDeadline();
  const TimeMs now = ports_.Now();
  if (!deadline || now < *deadline || ticked_ == deadline) return Ok();
  ticked_ = deadline;
  return Process({ClockAdvanced{}}, now);
}

std::int64_t Shell::patience() const {
  std::int64_t wait = kIdleMs;
  if (leave_at_) wait = std::min(wait, *leave_at_ - ports_.SteadyMs());
  const auto deadline = engine_.NextDeadline();
  if (deadline && deadline != ticked_) {
    wait = std::min(wait, Count(*deadline) - Count(ports_.Now()));
  }
  return std::max<std::int64_t>(wait, 0);
}

void Shell::Do(const ReplyTasks& action) {
  // A later event of the same turn has closed the round: these tasks are nobody's any more.
  if (state().phase != Phase::kCollecting || action.round != state().round) {
    return waiters_.Park(action.request);
  }
  const auto waiter = waiters_.Take(action.request);
  if (!waiter) return;
  LogInfo(format("Sending tasks to collaborator {} for round {}", waiter->who.value,
                 Number(action.round)));
  waiter->answer(TasksReply{.round = action.round,
                            .tasks = action.tasks,
                            .model = action.model,
                            .model_size = model_size_,
                            .counted = action.counted});
}

void Shell::Do(const ReplyWait& action) {
  waiters_.Park(action.request);
}

void Shell::Do(const ReplyQuit& action) {
  const auto waiter = waiters_.Take(action.request);
  if (!waiter) return;
  waiter->answer(QuitReply{});
  if (!waiter->leaving) {
    LogInfo(format("Sending signal to collaborator {} to shutdown...", waiter->who.value));
    return;  // whether it arrives is for the collaborator to say
  }
  told_.insert(waiter->who);
  if (told_.size() == members_.size()) {
    leave_at_ = std::min(last_call_, ports_.SteadyMs() + options_.quiet_ms);
  }
}

void Shell::Do(const ReplyAccepted& action) {
  if (const auto waiter = waiters_.Take(action.request)) waiter->answer(AcceptedReply{});
}

void Shell::Do(const ReplyRejected& action) {
  const auto waiter = waiters_.Take(action.request);
  if (waiter) waiter->answer(Error(ErrorCode::kAborted, action.reason));
}

void Shell::Do(const AggregateRound& action) {
  if (removals_ > 0) {
    fold_ = action;
  } else {
    ports_.Fold(action);
  }
}

void Shell::OnOldRemoved() {
  FX_CHECK(removals_ > 0);
  if (--removals_ == 0 && fold_) ports_.Fold(*std::exchange(fold_, std::nullopt));
}

void Shell::Do(const SaveBestModel& action) {
  ports_.SaveBest(action, state().best ? state().best->score : 0);
}

void Shell::Do(const SaveLastModel& action) {
  ports_.SaveLast(action);
}

void Shell::Do(const WakeWaiters&) {
  for (auto& [who, request] : waiters_.Unpark()) {
    again_.emplace_back(TasksRequested{.who = std::move(who), .request = request});
  }
}

// After the saves that were asked for before it. And before the round it is of is folded: what
// comes of that is a model that `keep` does not name. After a crash a round may be due at once.
void Shell::Do(const Prune& action) {
  ++removals_;
  ports_.RemoveOld(action);
}

void Shell::Do(const Shutdown&) {
  // Long enough for a site that waits between two attempts to reach us.
  const std::int64_t tries = 2 * plan_.network.client_reconnect_interval * 1000;
  const std::int64_t stay = already_finished_ ? options_.late_goodbye_ms : options_.goodbye_ms;
  last_call_ = ports_.SteadyMs() + std::max(stay, tries);
  leave_at_ = last_call_;
}

void Shell::Do(const Pause&) {
  paused_ = true;
}

void Shell::WriteMetrics() {
  if (plan_.aggregator.write_logs) ports_.WriteMetrics(report_.metrics_lines());
}

}  // namespace fx::aggregator
