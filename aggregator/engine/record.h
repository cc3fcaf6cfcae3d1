// What the aggregator has decided. Records are the journal: they are durable before any action that
// follows from them runs, and replaying them rebuilds the state exactly.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "core/base/names.h"

namespace fx::aggregator {

using Assignments = std::map<CollaboratorName, std::vector<TaskName>>;

// `model` is what the round's tasks start from.
struct RoundOpened {
  Round round;
  ModelId model;
  Assignments assignments;
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
// `stragglers` were assigned work and are left out of this round's aggregate.
struct RoundClosed {
  std::set<CollaboratorName> stragglers;
  std::vector<AggregatedMetric> metrics;
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

using Record = std::variant<RoundOpened, DeadlineSet, ResultAccepted, RoundClosed, BestModelChosen,
                            ModelCommitted, FederationFinished, ResultsLost, SiteFailed>;

}  // namespace fx::aggregator
