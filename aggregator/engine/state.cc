#include "aggregator/engine/state.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace fx::aggregator {
namespace {

struct Applier {
  State& state;

  void operator()(const RoundOpened& r) const {
    FX_CHECK(state.phase == Phase::kIdle);
    FX_CHECK(!state.opened || r.round > state.round);
    state.phase = Phase::kCollecting;
    state.opened = true;
    state.round = r.round;
    state.assignments = r.assignments;
    state.wanted = r.wanted == 0 ? r.assignments.size() : r.wanted;
    state.deadline.reset();
    state.accepted.clear();
    state.failed.clear();
    state.stragglers.clear();
    state.contributors.clear();
    state.forgets = false;
    state.completed = static_cast<std::size_t>(std::ranges::count_if(
        state.assignments, [](const auto& entry) { return entry.second.empty(); }));
    Use(r.model);
  }
  void operator()(const DeadlineSet& r) const {
    FX_CHECK(state.phase == Phase::kCollecting && !state.deadline);
    state.deadline = r.deadline;
  }
  void operator()(const ResultAccepted& r) const {
    FX_CHECK(state.phase == Phase::kCollecting);
    FX_CHECK(state.accepted.emplace(std::pair(r.task, r.who), r).second);
    if (state.Completed(r.who)) ++state.completed;
  }
  void operator()(const RoundClosed& r) const {
    FX_CHECK(state.phase == Phase::kCollecting);
    state.phase = Phase::kAggregating;
    state.stragglers = r.stragglers;
    state.contributors = r.contributors;
    state.forgets = r.forgets;
    if (r.contributors.empty()) SumByName();
  }
  void operator()(const ModelScored& r) const {
    FX_CHECK(state.phase == Phase::kAggregating);
    state.scored = r;
  }
  void operator()(const TrainingStopped&) const {
    FX_CHECK(state.opened && state.phase != Phase::kFinished && !state.last_to_train);
    state.last_to_train = state.round;
  }
  void operator()(const BestModelChosen& r) const {
    FX_CHECK(state.phase == Phase::kAggregating);
    state.best = r;
  }
  void operator()(const ModelCommitted& r) const {
    FX_CHECK(state.phase == Phase::kAggregating);
    state.phase = Phase::kIdle;
    if (CountUpdates()) {
      state.last = Aggregate{.round = Next(state.round), .model = r.model};
      if (state.forgets) {
        state.counted.clear();
        state.part_left = false;
      }
    }
    Use(r.model);
  }
  void operator()(const FederationFinished&) const {
    FX_CHECK(state.phase == Phase::kIdle);
    state.phase = Phase::kFinished;
  }

  void operator()(const ResultsLost& r) const {
    FX_CHECK(state.phase == Phase::kCollecting);
    for (const auto& [who, task] : r.results) {
      if (state.Completed(who)) --state.completed;
      FX_CHECK(state.accepted.erase({task, who}) == 1);
    }
  }

  void operator()(const SiteFailed& r) const {
    FX_CHECK(state.phase == Phase::kCollecting && !state.Completed(r.who));
    FX_CHECK(state.failed.emplace(r.who, r).second);
  }

  void operator()(const SiteLeft& r) const {
    if (state.HasPart(r.who)) state.part_left = true;
    if (state.phase != Phase::kCollecting) return;
    if (state.Completed(r.who)) --state.completed;
    state.assignments.erase(r.who);
    std::erase_if(state.accepted, [&](const auto& entry) { return entry.second.who == r.who; });
    state.failed.erase(r.who);
  }

  void operator()(const PauseSet& r) const { state.pausing = r.on; }

  // Whether there were any.
  bool CountUpdates() const {
    bool any = false;
    for (const auto& [key, result] : state.accepted) {
      if (!state.Counts(result)) continue;
      state.counted[result.who] = result.update;
      any = true;
    }
    return any;
  }

  // Journals of version 1 do not tell the order.
  void SumByName() const {
    for (const auto& [who, tasks] : state.assignments) {
      if (!state.stragglers.contains(who)) state.contributors.push_back(who);
    }
  }

  void Use(const ModelId& model) const {
    state.model = model;
    if (state.history.empty() || state.history.back() != model) state.history.push_back(model);
  }
};

}  // namespace

bool State::Completed(const CollaboratorName& who) const {
  const auto assigned = assignments.find(who);
  return assigned != assignments.end() &&
         std::ranges::all_of(assigned->second, [&](const TaskName& task) {
           return accepted.contains({task, who});
         });
}

bool State::HasPart(const CollaboratorName& who) const {
  if (counted.contains(who)) return true;
  return phase == Phase::kAggregating && std::ranges::any_of(accepted, [&](const auto& entry) {
           return entry.second.who == who && Counts(entry.second);
         });
}

bool State::Counts(const ResultAccepted& result) const {
  return !result.update.value.empty() && !stragglers.contains(result.who);
}

void Apply(const Record& record, State& state) {
  std::visit(Applier{state}, record);
}

}  // namespace fx::aggregator
