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
    state.deadline.reset();
    state.accepted.clear();
    state.failed.clear();
    state.stragglers.clear();
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
  }
  void operator()(const BestModelChosen& r) const {
    FX_CHECK(state.phase == Phase::kAggregating);
    state.best = r;
  }
  void operator()(const ModelCommitted& r) const {
    FX_CHECK(state.phase == Phase::kAggregating);
    state.phase = Phase::kIdle;
    const auto counts = [&](const auto& entry) { return state.Counts(entry.second); };
    if (std::ranges::any_of(state.accepted, counts)) {
      state.last = Aggregate{.round = Next(state.round), .model = r.model};
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

bool State::Counts(const ResultAccepted& result) const {
  return !result.update.value.empty() && !stragglers.contains(result.who);
}

void Apply(const Record& record, State& state) {
  std::visit(Applier{state}, record);
}

}  // namespace fx::aggregator
