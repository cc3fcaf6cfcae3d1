#include "aggregator/server/round_view.h"

#include <algorithm>
#include <variant>

namespace fx::aggregator {
namespace {

bool ChangesMore(const Record& record) {
  return std::holds_alternative<RoundOpened>(record) ||
         std::holds_alternative<ResultsLost>(record) || std::holds_alternative<SiteLeft>(record);
}

}  // namespace

RoundView RoundBoard::ViewFor(const CollaboratorName& who) const {
  const std::lock_guard lock(mutex_);
  RoundView view{.round = round_, .collecting = collecting_, .tasks = {}};
  if (const auto of = tasks_.find(who); of != tasks_.end()) view.tasks = of->second;
  return view;
}

bool RoundBoard::Takes(Round round) const {
  const std::lock_guard lock(mutex_);
  return collecting_ && round == round_;
}

void RoundBoard::Publish(const State& state) {
  const std::lock_guard lock(mutex_);
  RebuildLocked(state);
}

void RoundBoard::Publish(std::span<const Record> records, const State& state) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::any_of(records, ChangesMore)) return RebuildLocked(state);
  collecting_ = state.phase == Phase::kCollecting;
  for (const Record& record : records) {
    const auto* result = std::get_if<ResultAccepted>(&record);
    if (result != nullptr) tasks_[result->who][result->task] = result->update;
  }
}

void RoundBoard::RebuildLocked(const State& state) {
  round_ = state.round;
  collecting_ = state.phase == Phase::kCollecting;
  tasks_.clear();
  for (const auto& [who, tasks] : state.assignments) {
    for (const TaskName& task : tasks) tasks_[who][task];
  }
  for (const auto& [key, result] : state.accepted) tasks_[result.who][result.task] = result.update;
}

}  // namespace fx::aggregator
