// What the aggregator has decided. Records are the journal: they are durable before any action that
// follows from them runs, and replaying them rebuilds the state exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/base/names.h"

namespace fx::aggregator {

using Assignments = std::map<CollaboratorName, std::vector<TaskName>>;

// `model` is what the round's tasks start from. With over-selection only `wanted` of those who are
// assigned work are waited for; 0: all are.
struct RoundOpened {
  Round round;
  ModelId model;
  Assignments assignments;
  std::size_t wanted = 0;
};
// The first task of the round was handed out, so its clock runs: after `deadline` the round may
// close without everyone. Only with a cut-off policy.
struct DeadlineSet {
  TimeMs deadline;
};
struct ResultAccepted {
  CollaboratorName who;
  TaskName task;
  UpdateId update;
  std::int64_t num_samples;
  std::vector<Metric> metrics;
};
// A result of the round under way.
struct ResultKey {
  CollaboratorName who;
  TaskName task;
  bool operator==(const ResultKey&) const = default;
};
// These were accepted in this round, and their bytes did not survive a power cut: they are owed
// again. Only with `durability: round`, or if somebody else removed the files.
struct ResultsLost {
  std::vector<ResultKey> results;
};
// The collaborator cannot do the task: it is left out of this round, like a straggler nobody waits
// for.
struct SiteFailed {
  CollaboratorName who;
  TaskName task;
  std::string reason;
};
// A metric of one task, averaged over the collaborators that completed the round.
struct AggregatedMetric {
  TaskName task;
  Metric metric;
  bool operator==(const AggregatedMetric&) const = default;
};
// `stragglers` were assigned work and are left out of this round's aggregate; `contributors` did
// all of theirs, in the order in which they are summed. `forgets`: a site whose part is in the
// model's sums has left for good. What is in a sum cannot be taken out without that site, so the
// aggregate starts the sums anew, and every site its part.
struct RoundClosed {
  std::set<CollaboratorName> stragglers;
  std::vector<CollaboratorName> contributors = {};
  std::vector<AggregatedMetric> metrics;
  bool forgets = false;
};
// How the round's model was judged, where that depends on the rounds before: with smoothing, or if
// training may stop early.
struct ModelScored {
  double score;           // smoothed; NaN while no round has had a number
  double bar;             // the score of the last gain
  std::uint32_t stalled;  // rounds in a row without one, this included
};
// No round after this one trains.
struct TrainingStopped {
  std::string reason;
};
// `model`, which round `round` started from, has the best validation score so far.
struct BestModelChosen {
  Round round;
  ModelId model;
  std::string metric;
  double score;
};
// The round's aggregate is durable as `model`. A round without training keeps its model.
struct ModelCommitted {
  ModelId model;
};
struct FederationFinished {};
// The collaborator was taken off the authorised list. If it had tasks in the open round, nobody
// waits for it, and what it sent in this round does not count. If its part is in the model's sums,
// the next round that is closed forgets, even if it is back by then.
struct SiteLeft {
  CollaboratorName who;
};
// On: no other round is opened after the one under way. The next start of the process sets it off.
struct PauseSet {
  bool on;
};

using Record = std::variant<RoundOpened, DeadlineSet, ResultAccepted, RoundClosed, BestModelChosen,
                            ModelCommitted, FederationFinished, ResultsLost, SiteFailed,
                            ModelScored, TrainingStopped, SiteLeft, PauseSet>;

}  // namespace fx::aggregator
