// What the engine does not take, and why, in words for whoever sent it.
#include <algorithm>

#include "aggregator/engine/engine.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

std::string Describe(const State& state) {
  switch (state.phase) {
    case Phase::kIdle:
      return "no round is open";
    case Phase::kCollecting:
      return format("round {} is open", Number(state.round));
    case Phase::kAggregating:
      return format("round {} is closed and being aggregated", Number(state.round));
    case Phase::kFinished:
      return "the federation is over";
  }
  return {};
}

}  // namespace

std::optional<std::string> Engine::ObjectionTo(const CollaboratorName& who) const {
  if (IsMember(who)) return std::nullopt;
  return format("{} is not among the plan's collaborators (cols.yaml)", who.value);
}

std::optional<std::string> Engine::Objection(const CollaboratorName& who, Round round,
                                             const TaskName& task) const {
  if (auto objection = ObjectionTo(who)) return objection;
  const auto number = Number(round);
  if (!state_.opened) return Describe(state_);
  if (round < state_.round) return format("round {} is over; {}", number, Describe(state_));
  if (round > state_.round) return format("round {} has not begun; {}", number, Describe(state_));
  if (state_.accepted.contains({task, who})) {
    return format("task {} of round {} already has a different result from {}; {}", task.value,
                  number, who.value, Describe(state_));
  }
  if (state_.phase != Phase::kCollecting) return Describe(state_);
  if (const auto failed = state_.failed.find(who); failed != state_.failed.end()) {
    return format("{} is left out of round {}: its task {} failed", who.value, number,
                  failed->second.task.value);
  }
  const std::vector<TaskName> tasks = Outstanding(who);
  if (std::ranges::find(tasks, task) != tasks.end()) return std::nullopt;
  return format("task {} was not assigned to {} in round {}; {}", task.value, who.value, number,
                Describe(state_));
}

std::optional<std::string> Engine::Objection(const ResultStaged& result) const {
  if (auto objection = Objection(result.who, result.round, result.task)) return objection;
  const bool trains = options_.training_tasks.contains(result.task);
  if (trains && result.update.value.empty()) {
    return format("task {} trains, but its result has no weights", result.task.value);
  }
  if (!trains && !result.update.value.empty()) {
    return format("task {} does not train, but its result has weights", result.task.value);
  }
  return std::nullopt;
}

std::optional<std::string> Engine::ObjectionToCutOff() const {
  if (state_.phase != Phase::kCollecting) return Describe(state_);
  const std::size_t least = std::max<std::size_t>(1, options_.stragglers.minimum_reporting);
  if (state_.completed >= least) return std::nullopt;
  return format(
      "{} of the {} collaborators of round {} have done their part, and the plan closes "
      "no round with fewer than {}",
      state_.completed, state_.assignments.size(), Number(state_.round), least);
}

std::optional<std::string> Engine::ObjectionToPause() const {
  if (state_.phase != Phase::kFinished) return std::nullopt;
  return Describe(state_);
}

}  // namespace fx::aggregator
