#include "aggregator/engine/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "plan/metric_names.h"

namespace fx::aggregator {
namespace {

using Results = std::vector<const ResultAccepted*>;

const Metric* Find(const ResultAccepted& result, const std::string& name) {
  const auto it = std::ranges::find(result.metrics, name, &Metric::name);
  return it == result.metrics.end() ? nullptr : &*it;
}

Results CompletedResults(const State& state, const TaskName& task,
                         std::span<const CollaboratorName> members) {
  Results results;
  for (const CollaboratorName& who : members) {
    const auto it = state.accepted.find({task, who});
    if (it != state.accepted.end() && state.Completed(who)) results.push_back(&it->second);
  }
  return results;
}

double Average(const Results& results, const std::string& name) {
  std::vector<std::int64_t> sizes;
  std::vector<double> values;
  for (const ResultAccepted* result : results) {
    const Metric* metric = Find(*result, name);
    if (metric == nullptr) continue;
    sizes.push_back(result->num_samples);
    values.push_back(metric->value);
  }
  const std::vector<double> shares = SharesOf(sizes);
  double sum = 0;
  double total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += shares[i] * values[i];
    total += shares[i];
  }
  return sum / total;
}

// Names as first reported.
std::vector<std::string> MetricNames(const Results& results) {
  std::vector<std::string> names;
  for (const ResultAccepted* result : results) {
    for (const Metric& metric : result->metrics) {
      if (std::ranges::find(names, metric.name) == names.end()) names.push_back(metric.name);
    }
  }
  return names;
}

const Metric* Usual(const std::vector<AggregatedMetric>& metrics,
                    const std::set<TaskName>& judging_tasks) {
  const AggregatedMetric* chosen = nullptr;
  for (const AggregatedMetric& m : metrics) {
    if (!judging_tasks.contains(m.task)) continue;
    if (chosen != nullptr && (m.task != chosen->task || !IsLoss(chosen->metric.name))) break;
    if (chosen == nullptr || !IsLoss(m.metric.name)) chosen = &m;
  }
  return chosen == nullptr ? nullptr : &chosen->metric;
}

const Metric* Named(const std::string& name, const std::vector<AggregatedMetric>& metrics,
                    const std::set<TaskName>& judging_tasks) {
  const auto found = std::ranges::find_if(metrics, [&](const AggregatedMetric& m) {
    return judging_tasks.contains(m.task) && m.metric.name == name;
  });
  return found == metrics.end() ? nullptr : &found->metric;
}

bool LowerIsBetter(const std::string& metric, BestModelRule::Direction direction) {
  if (direction != BestModelRule::Direction::kByName) {
    return direction == BestModelRule::Direction::kMin;
  }
  return LessIsBetter(metric);
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

std::vector<double> SharesOf(std::span<const std::int64_t> num_samples) {
  const auto known = [](std::int64_t n) { return n >= 0; };
  double total = 0;
  for (const std::int64_t n : num_samples) total += static_cast<double>(n);
  const bool equal = total <= 0 || !std::ranges::all_of(num_samples, known);
  std::vector<double> shares;
  for (const std::int64_t n : num_samples) {
    shares.push_back(equal ? 1.0 / static_cast<double>(num_samples.size())
                           : static_cast<double>(n) / total);
  }
  return shares;
}

std::vector<AggregatedMetric> AverageMetrics(const State& state,
                                             std::span<const CollaboratorName> members) {
  std::set<TaskName> tasks;
  for (const auto& [key, result] : state.accepted) tasks.insert(key.first);
  std::vector<AggregatedMetric> averages;
  for (const TaskName& task : tasks) {
    const Results results = CompletedResults(state, task, members);
    for (const std::string& name : MetricNames(results)) {
      averages.push_back({.task = task, .metric = {.name = name, .value = Average(results, name)}});
    }
  }
  return averages;
}

std::optional<Score> ScoreOf(const std::vector<AggregatedMetric>& metrics,
                             const std::set<TaskName>& judging_tasks, const BestModelRule& rule) {
  const Metric* const metric = rule.metric.empty() ? Usual(metrics, judging_tasks)
                                                   : Named(rule.metric, metrics, judging_tasks);
  if (metric == nullptr) return std::nullopt;
  return Score{.metric = metric->name,
               .value = metric->value,
               .lower_is_better = LowerIsBetter(metric->name, rule.direction)};
}

ModelScored Judge(const Score& score, const std::optional<ModelScored>& before,
                  const BestModelRule& rule) {
  ModelScored judged = before.value_or(ModelScored{.score = kNaN, .bar = kNaN, .stalled = 0});
  ++judged.stalled;
  if (std::isnan(score.value)) return judged;
  judged.score = std::isnan(judged.score)
                     ? score.value
                     : rule.smoothing * judged.score + (1 - rule.smoothing) * score.value;
  const double gain = score.lower_is_better ? judged.bar - judged.score : judged.score - judged.bar;
  if (std::isnan(judged.bar) || gain > rule.min_delta) {
    judged.bar = judged.score;
    judged.stalled = 0;
  }
  return judged;
}

bool Beats(const Score& score, const std::optional<BestModelChosen>& best) {
  if (std::isnan(score.value)) return false;
  if (!best) return true;
  return score.lower_is_better ? score.value < best->score : score.value > best->score;
}

}  // namespace fx::aggregator
