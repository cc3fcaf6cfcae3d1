#include "plan/read_best_model.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/format.h"
#include "plan/metric_names.h"

namespace fx {
namespace {

constexpr std::string_view kSettings = "aggregator.settings";
constexpr double kMostGain = 1e9;

void ReadRule(const YamlRef& value, const std::string& path, Complaints& complaints,
              BestModelRule& out) {
  using Direction = BestModelRule::Direction;
  MappingReader reader(value, path, complaints);
  reader.Text("metric", out.metric);
  int direction = static_cast<int>(out.direction);
  reader.Pick("direction",
              {{"by_name", static_cast<int>(Direction::kByName)},
               {"max", static_cast<int>(Direction::kMax)},
               {"min", static_cast<int>(Direction::kMin)}},
              direction);
  out.direction = static_cast<Direction>(direction);
  reader.Real("smoothing", out.smoothing, 0, 1, MappingReader::Open::kHigh);
  reader.Finish();
}

void ReadPatience(const YamlRef& value, const std::string& path, Complaints& complaints,
                  BestModelRule& out) {
  constexpr std::int64_t kMostRounds = 1'000'000;
  MappingReader reader(value, path, complaints);
  reader.Require("patience", "a number of rounds such as 5");
  std::uint32_t patience = 1;
  reader.Integer("patience", patience, 1, kMostRounds);
  out.patience = patience;
  reader.Real("min_delta", out.min_delta, 0, kMostGain);
  reader.Finish();
}

bool Judges(const TaskSpec& task) {
  return task.function == TaskFunction::kValidate && task.apply == ApplyTo::kGlobal;
}

std::vector<const TaskSpec*> JudgingTasksInUse(const Plan& plan) {
  std::vector<const TaskSpec*> tasks;
  for (const TaskGroup& group : plan.task_groups) {
    for (const TaskName& name : group.tasks) {
      const auto found = plan.tasks.find(name);
      if (found == plan.tasks.end()) continue;
      if (Judges(found->second)) tasks.push_back(&found->second);
    }
  }
  return tasks;
}

// Without a metric its name says what is better, so nobody could say of what this is the direction.
void CheckDirection(const Plan& plan, const YamlValue& at, Complaints& complaints) {
  using Direction = BestModelRule::Direction;
  const std::string& metric = plan.aggregator.best_model.metric;
  const Direction direction = plan.aggregator.best_model.direction;
  const YamlRef place = at.Find("direction");
  if (!place || direction == Direction::kByName) return;
  if (metric.empty()) {
    return complaints.Add(
        *place, format("{}.best_model.direction needs best_model.metric: a direction of which "
                       "metric? Name it, or leave the direction out",
                       kSettings));
  }
  const bool known = std::ranges::find(MetricNames(), metric) != MetricNames().end();
  const bool less = direction == Direction::kMin;
  if (!known || less == LessIsBetter(metric)) return;
  complaints.Add(*place, format("{}.best_model.direction is {}, but of {} {} is better: the worst "
                                "model would be kept as the best",
                                kSettings, less ? "min" : "max", metric, less ? "more" : "less"));
}

// What decides if the plan names no metric.
std::string UsualMetric(const TaskSpec& task) {
  const auto found = std::ranges::find_if_not(
      task.metrics, [](const std::string& metric) { return IsLoss(metric); });
  if (found != task.metrics.end()) return *found;
  return task.metrics.empty() ? std::string() : task.metrics.front();
}

// Of each group that judges, the task whose metric counts if sites of that group alone have done a
// round: the first by name.
std::vector<const TaskSpec*> FirstToJudge(const Plan& plan) {
  std::vector<const TaskSpec*> tasks;
  for (const TaskGroup& group : plan.task_groups) {
    const TaskSpec* first = nullptr;
    for (const TaskName& name : group.tasks) {
      const auto found = plan.tasks.find(name);
      if (found == plan.tasks.end() || !Judges(found->second)) continue;
      if (first == nullptr || name < first->name) first = &found->second;
    }
    if (first != nullptr) tasks.push_back(first);
  }
  return tasks;
}

void CheckOneMetric(const std::vector<const TaskSpec*>& judging, const YamlValue& at,
                    std::string_view what, Complaints& complaints) {
  for (const TaskSpec* task : judging) {
    const std::string first = UsualMetric(*judging.front());
    const std::string other = UsualMetric(*task);
    if (other == first) continue;
    return complaints.Add(
        at, format("{} compares the scores of rounds, but {} reports {} and {} reports {}: name "
                   "the metric that counts in {}.best_model.metric",
                   what, judging.front()->name.value, first, task->name.value, other, kSettings));
  }
}

void CheckScores(const Plan& plan, const YamlValue& document, Complaints& complaints) {
  const BestModelRule& rule = plan.aggregator.best_model;
  const std::vector<const TaskSpec*> judging = FirstToJudge(plan);
  if (!rule.metric.empty() || !plan.python_parts.empty()) return;
  if (rule.patience) {
    CheckOneMetric(judging, *FindSetting(document, "aggregator", "early_stopping"),
                   "early_stopping", complaints);
  } else if (rule.smoothing > 0) {
    CheckOneMetric(judging, *FindSetting(document, "aggregator", "best_model"),
                   "best_model.smoothing", complaints);
  }
}

// Seen in round r at the earliest if r rounds before it have brought no gain, and only while there
// are rounds to leave out.
void CheckPatience(const Plan& plan, const YamlValue& at, Complaints& complaints) {
  const auto& patience = plan.aggregator.best_model.patience;
  const std::uint32_t rounds = plan.aggregator.rounds_to_train;
  if (!patience || *patience < rounds) return;
  const YamlRef place = at.Find("patience");
  complaints.Add(place ? *place : at,
                 format("{}.early_stopping.patience is {}, but there are {} rounds_to_train, so "
                        "training cannot stop early: expected less than that, or no "
                        "early_stopping",
                        kSettings, *patience, rounds));
}

void CheckMetric(const Plan& plan, const std::vector<const TaskSpec*>& judging, const YamlValue& at,
                 Complaints& complaints) {
  const std::string& metric = plan.aggregator.best_model.metric;
  if (metric.empty() || !plan.python_parts.empty()) return;
  std::vector<std::string> reported;
  for (const TaskSpec* task : judging) {
    reported.insert(reported.end(), task->metrics.begin(), task->metrics.end());
  }
  if (std::ranges::find(reported, metric) != reported.end()) return;
  const YamlRef place = at.Find("metric");
  complaints.Add(place ? *place : at,
                 format("{}.best_model.metric is \"{}\", which no task that validates the "
                        "aggregated model reports, {}",
                        kSettings, metric, Suggest(metric, reported)));
}

}  // namespace

void ReadBestModel(MappingReader& settings, Complaints& complaints, BestModelRule& out) {
  if (const YamlRef rule = settings.Get("best_model")) {
    ReadRule(rule, settings.PathOf("best_model"), complaints, out);
  }
  if (const YamlRef stop = settings.Get("early_stopping")) {
    ReadPatience(stop, settings.PathOf("early_stopping"), complaints, out);
  }
}

void CheckBestModel(const Plan& plan, const YamlValue& document, Complaints& complaints) {
  const std::vector<const TaskSpec*> judging = JudgingTasksInUse(plan);
  for (const char* const key : {"best_model", "early_stopping"}) {
    const YamlRef value = FindSetting(document, "aggregator", key);
    if (!value || !value->is_mapping()) continue;
    if (judging.empty()) {
      complaints.Add(*value, format("{}.{} needs a task group with a task that validates the "
                                    "aggregated model: function: validate, apply: global",
                                    kSettings, key));
    } else if (key == std::string_view("best_model")) {
      CheckMetric(plan, judging, *value, complaints);
      CheckDirection(plan, *value, complaints);
    } else {
      CheckPatience(plan, *value, complaints);
    }
  }
  if (!judging.empty()) CheckScores(plan, document, complaints);
}

}  // namespace fx
