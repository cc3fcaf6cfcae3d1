#include "aggregator/report.h"

#include <algorithm>
#include <optional>
#include <variant>

#include "aggregator/engine/metrics.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/metrics_file.h"
#include "plan/metric_names.h"

namespace fx::aggregator {
namespace {

// With more collaborators, a list of them at each result would be most of the log.
constexpr std::size_t kMostListed = 32;

constexpr const char* kHeader = "round      loss  accuracy  locally tuned  seconds\n";

std::string Listed(const std::set<CollaboratorName>& names) {
  std::string text;
  for (const CollaboratorName& name : names) {
    text += (text.empty() ? "'" : ", '") + name.value + "'";
  }
  return "[" + text + "]";
}

std::string Cell(const std::optional<double>& value) {
  return value ? format("{:.4f}", *value) : "-";
}

// The first loss, or the first other metric, of the tasks `wanted` picks.
template <typename Wanted>
std::optional<double> First(const RoundClosed& closed, bool loss, Wanted wanted) {
  for (const AggregatedMetric& m : closed.metrics) {
    if (IsLoss(m.metric.name) == loss && wanted(m.task)) return m.metric.value;
  }
  return std::nullopt;
}

}  // namespace

Report::Report(const Plan& plan, std::ostream* table) : tasks_(plan.tasks), table_(table) {
  if (table_ != nullptr) *table_ << kHeader << std::flush;
}

void Report::Replayed(TimeMs at, const Record& record) {
  Add(at, record);
}

void Report::Happened(TimeMs at, const Record& record) {
  Add(at, record);
  LogRecord(record);
}

void Report::Add(TimeMs at, const Record& record) {
  if (const auto* opened = std::get_if<RoundOpened>(&record)) {
    round_ = *opened;
    opened_at_ = at;
    done_.clear();
  } else if (const auto* result = std::get_if<ResultAccepted>(&record)) {
    done_.emplace(result->who, result->task);
  } else if (const auto* lost = std::get_if<ResultsLost>(&record)) {
    for (const auto& [who, task] : lost->results) done_.erase({who, task});
  } else if (const auto* left = std::get_if<SiteLeft>(&record)) {
    round_.assignments.erase(left->who);
  } else if (const auto* closed = std::get_if<RoundClosed>(&record)) {
    const double seconds = static_cast<double>(Count(at) - Count(opened_at_)) / 1000;
    std::vector<Metric> metrics;
    for (const auto& [task, metric] : closed->metrics) {
      metrics.push_back(
          {.name = "aggregator/" + task.value + "/" + metric.name, .value = metric.value});
    }
    metrics_lines_.push_back(MetricsLine(round_.round, seconds, metrics));
    AddRow(seconds, *closed);
  }
}

void Report::LogRecord(const Record& record) const {
  if (const auto* opened = std::get_if<RoundOpened>(&record)) {
    LogInfo(format("Starting round {}...", Number(opened->round)));
  } else if (const auto* result = std::get_if<ResultAccepted>(&record)) {
    LogMetrics(*result);
    LogCompletion(result->who);
  } else if (const auto* closed = std::get_if<RoundClosed>(&record)) {
    for (const auto& [task, metric] : closed->metrics) {
      LogInfo(MetricText(round_.round, "aggregator", task, metric));
    }
    if (closed->stragglers.empty()) return;
    LogWarning(format("Round: {}, closed without the collaborators: {}", Number(round_.round),
                      Listed(closed->stragglers)));
  } else if (const auto* lost = std::get_if<ResultsLost>(&record)) {
    for (const auto& [who, task] : lost->results) {
      LogWarning(format("Round: {}, the result of {} for {} was lost and is asked for again",
                        Number(round_.round), who.value, task.value));
    }
  } else if (const auto* failed = std::get_if<SiteFailed>(&record)) {
    LogWarning(format("Round: {}, collaborator {} cannot do task {} and is left out: {}",
                      Number(round_.round), failed->who.value, failed->task.value, failed->reason));
  } else if (const auto* left = std::get_if<SiteLeft>(&record)) {
    LogWarning(
        format("Round: {}, collaborator {} has left the federation: an open round goes on "
               "without what it sent",
               Number(round_.round), left->who.value));
  } else if (const auto* pause = std::get_if<PauseSet>(&record); pause != nullptr && pause->on) {
    LogInfo(format("Round: {}, the aggregator is to stop after it", Number(round_.round)));
  } else if (const auto* stopped = std::get_if<TrainingStopped>(&record)) {
    LogInfo(format("Round: {}, training stops here: {}", Number(round_.round), stopped->reason));
  } else if (std::holds_alternative<FederationFinished>(record)) {
    LogInfo("Experiment Completed. Cleaning up...");
  }
}

bool Report::Completed(const CollaboratorName& who) const {
  const auto assigned = round_.assignments.find(who);
  return assigned != round_.assignments.end() &&
         std::ranges::all_of(assigned->second, [&](const TaskName& task) {
           return done_.contains({who, task});
         });
}

void Report::LogMetrics(const ResultAccepted& result) const {
  if (round_.assignments.size() > kMostListed) return;
  for (const Metric& metric : result.metrics) {
    LogInfo(MetricText(round_.round, result.who.value, result.task, metric));
  }
}

void Report::LogCompletion(const CollaboratorName& who) const {
  if (!Completed(who)) return;
  if (round_.assignments.size() > kMostListed) {
    LogInfo(format("Round: {}, Collaborator {} has completed all tasks", Number(round_.round),
                   who.value));
    return;
  }
  std::set<CollaboratorName> completed;
  for (const auto& [name, tasks] : round_.assignments) {
    if (Completed(name)) completed.insert(name);
  }
  LogInfo(format("Round: {}, Collaborators that have completed all tasks: {}", Number(round_.round),
                 Listed(completed)));
}

void Report::AddRow(double seconds, const RoundClosed& closed) {
  if (table_ == nullptr) return;
  const auto is = [this](const TaskName& name, TaskFunction function, ApplyTo apply) {
    const auto task = tasks_.find(name);
    return task != tasks_.end() && task->second.function == function &&
           (function == TaskFunction::kTrain || task->second.apply == apply);
  };
  const auto judges = [&](const TaskName& name) {
    return is(name, TaskFunction::kValidate, ApplyTo::kGlobal);
  };
  const auto tuned = [&](const TaskName& name) {
    return is(name, TaskFunction::kValidate, ApplyTo::kLocal);
  };
  const auto trains = [&](const TaskName& name) {
    return is(name, TaskFunction::kTrain, ApplyTo::kGlobal);
  };
  std::optional<double> loss = First(closed, true, judges);
  if (!loss) loss = First(closed, true, trains);
  *table_ << format("{:>5}  {:>8}  {:>8}  {:>13}  {:>7.1f}\n", Number(round_.round), Cell(loss),
                    Cell(First(closed, false, judges)), Cell(First(closed, false, tuned)), seconds)
          << std::flush;
}

}  // namespace fx::aggregator
