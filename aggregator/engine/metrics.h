// What the numbers of a round say: averages over collaborators, and the score of a model.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "aggregator/engine/record.h"
#include "aggregator/engine/state.h"
#include "core/base/names.h"
#include "plan/plan.h"

namespace fx::aggregator {

// Each collaborator's share of all samples. Where sizes say nothing (one is negative, which means
// unknown, or all are zero) every share is the same. The shares of updates and of metrics alike.
std::vector<double> SharesOf(std::span<const std::int64_t> num_samples);

// Every metric of the round's tasks, averaged over the collaborators that completed the round and
// reported it, weighted by their samples: sum of share * value in the order of `members`, divided
// by the sum of the shares. Ordered by task name, and within a task as first reported.
std::vector<AggregatedMetric> AverageMetrics(const State& state,
                                             std::span<const CollaboratorName> members);

// How good a model is; NaN if nobody could say.
struct Score {
  std::string metric = {};
  double value = std::numeric_limits<double>::quiet_NaN();
  bool lower_is_better = false;
};

// What `rule` names among the metrics of `judging_tasks`; none if nobody reported it.
std::optional<Score> ScoreOf(const std::vector<AggregatedMetric>& metrics,
                             const std::set<TaskName>& judging_tasks, const BestModelRule& rule);

// The score after those before: smoothed, and whether it gained. The first number is taken as it is
// and is a gain; a NaN changes nothing and is none.
ModelScored Judge(const Score& score, const std::optional<ModelScored>& before,
                  const BestModelRule& rule);

// Strictly; a NaN beats nothing, and anything else beats no score at all.
bool Beats(const Score& score, const std::optional<BestModelChosen>& best);

}  // namespace fx::aggregator
