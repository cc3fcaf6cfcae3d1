// The aggregator's whole mutable state, and the only function that changes it.
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "aggregator/engine/record.h"

namespace fx::aggregator {

enum class Phase { kIdle, kCollecting, kAggregating, kFinished };

struct State {
  Phase phase = Phase::kIdle;
  bool opened = false;  // a round has ever been opened
  Round round{};
  ModelId model;  // what the current round started from; after ModelCommitted the new one
  std::optional<TimeMs> deadline;
  Assignments assignments;                                                  // of this round
  std::map<std::pair<TaskName, CollaboratorName>, ResultAccepted> accepted;  // in this round
  std::set<CollaboratorName> stragglers;                                    // of this round
  std::optional<BestModelChosen> best;
  std::vector<ModelId> history;  // committed models, oldest first, the last db_store_rounds of them

  bool Completed(const CollaboratorName& who) const;  // all assigned tasks accepted
};

// Total: every record applies to the state it was decided in. Checks, never fails.
void Apply(const Record& record, State& state);

}  // namespace fx::aggregator
