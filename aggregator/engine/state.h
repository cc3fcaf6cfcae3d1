// The aggregator's whole mutable state, and the only function that changes it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "aggregator/engine/record.h"

namespace fx::aggregator {

enum class Phase { kIdle, kCollecting, kAggregating, kFinished };

// The newest model that was aggregated from updates, and the round that starts from it.
struct Aggregate {
  Round round;
  ModelId model;
};

struct State {
  Phase phase = Phase::kIdle;
  bool opened = false;  // a round has ever been opened
  Round round{};
  ModelId model;  // what the current round started from; after ModelCommitted the new one
  std::optional<TimeMs> deadline;
  Assignments assignments;  // of this round
  std::size_t wanted = 0;   // of those assigned, the number that is waited for
  std::map<std::pair<TaskName, CollaboratorName>, ResultAccepted> accepted;  // in this round
  std::size_t completed = 0;                      // collaborators all of whose tasks are accepted
  std::map<CollaboratorName, SiteFailed> failed;  // in this round
  std::set<CollaboratorName> stragglers;          // of this round
  std::vector<CollaboratorName> contributors;     // of this round, once it is closed
  bool forgets = false;                           // this round's aggregate starts the sums anew
  std::optional<ModelScored> scored;              // the newest
  std::optional<Round> last_to_train;             // set once training has been stopped
  bool pausing = false;                           // no round is opened after this one
  std::optional<BestModelChosen> best;
  std::optional<Aggregate> last;
  // The newest update of each that is in the model; of several tasks of a round, of the last by
  // name.
  std::map<CollaboratorName, UpdateId> counted;
  bool part_left = false;        // one that has a part has left, and has not been forgotten
  std::vector<ModelId> history;  // every model a round started from or ended with, oldest first

  bool Completed(const CollaboratorName& who) const;  // all assigned tasks accepted
  // Of the model's sums, or of those that are being aggregated.
  bool HasPart(const CollaboratorName& who) const;
  // The result counts in this round's aggregate: it carries an update and is no straggler's.
  bool Counts(const ResultAccepted& result) const;
};

// Total: every record applies to the state it was decided in. Checks, never fails.
void Apply(const Record& record, State& state);

}  // namespace fx::aggregator
