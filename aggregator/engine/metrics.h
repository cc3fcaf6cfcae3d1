// What the numbers of a round say: averages over collaborators, and the score of a model.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "aggregator/engine/record.h"
#include "aggregator/engine/state.h"
#include "core/base/names.h"

namespace fx::aggregator {

// Each collaborator's share of all samples. Where sizes say nothing (one is negative, which means
// unknown, or all are zero) every share is the same. The shares of updates and of metrics alike.
std::vector<double> SharesOf(std::span<const std::int64_t> num_samples);

// Every metric of the round's tasks, averaged over the collaborators that completed the round and
// reported it, weighted by their samples: sum of share * value in the order of `members`, divided
// by the sum of the shares. Ordered by task name, and within a task as first reported.
std::vector<AggregatedMetric> AverageMetrics(const State& state,
                                             std::span<const CollaboratorName> members);

// How good a model is.
struct Score {
  std::string metric;
  double value = 0;
  bool lower_is_better = false;
};

// A loss is a metric with "loss" in its name, in any case. Of losses and errors (mae) lower is
// better; of everything else, higher is.
bool IsLoss(const std::string& metric);

// Of the first of `judging_tasks` with results: its first metric that is no loss, else its first.
std::optional<Score> ScoreOf(const std::vector<AggregatedMetric>& metrics,
                             const std::set<TaskName>& judging_tasks);

// Strictly; a NaN beats nothing, and anything else beats no score at all.
bool Beats(const Score& score, const std::optional<BestModelChosen>& best);

}  // namespace fx::aggregator
