#include "fx/aggregator/vitals.h"

#include <algorithm>
#include <variant>

#include "core/base/format.h"
#include "core/tensor/model_file.h"
#include "fx/service/metrics_text.h"
#include "plan/model_layout.h"

namespace fx {

AggregatorVitals::AggregatorVitals(const Plan& plan)
    : members_(plan.authorized.size()), model_bytes_(MapModelFile(ModelLayout(plan)).size) {}

void AggregatorVitals::Happened(TimeMs at, const aggregator::Record& record) {
  const std::lock_guard lock(mutex_);
  if (const auto* opened = std::get_if<aggregator::RoundOpened>(&record)) {
    Take(at, *opened);
  } else if (const auto* result = std::get_if<aggregator::ResultAccepted>(&record)) {
    Take(*result);
  } else if (const auto* lost = std::get_if<aggregator::ResultsLost>(&record)) {
    Take(*lost);
  } else if (const auto* closed = std::get_if<aggregator::RoundClosed>(&record)) {
    Take(at, *closed);
  } else if (std::holds_alternative<aggregator::SiteFailed>(record)) {
    ++failures_;
  } else if (std::holds_alternative<aggregator::FederationFinished>(record)) {
    finished_ = true;
  }
}

void AggregatorVitals::Take(TimeMs at, const aggregator::RoundOpened& opened) {
  round_ = opened;
  opened_at_ = at;
  done_.clear();
  begun_ = collecting_ = true;
}

void AggregatorVitals::Take(const aggregator::ResultAccepted& result) {
  done_.emplace(result.who, result.task);
  seen_.insert(result.who);
  ++results_;
  if (!result.update.value.empty()) ++updates_;
}

void AggregatorVitals::Take(const aggregator::ResultsLost& lost) {
  for (const auto& [who, task] : lost.results) done_.erase({who, task});
}

void AggregatorVitals::Take(TimeMs at, const aggregator::RoundClosed& closed) {
  collecting_ = false;
  ++rounds_;
  stragglers_ += closed.stragglers.size();
  last_round_seconds_ = static_cast<double>(Count(at) - Count(opened_at_)) / 1000;
}

// Collaborators that owe nothing more of this round.
std::size_t AggregatorVitals::DoneLocked() const {
  return static_cast<std::size_t>(std::ranges::count_if(round_.assignments, [this](const auto& a) {
    return std::ranges::all_of(a.second, [&](const TaskName& task) {
      return done_.contains({a.first, task});
    });
  }));
}

std::string AggregatorVitals::Line() const {
  const std::lock_guard lock(mutex_);
  if (finished_) return "the federation is over";
  if (!begun_) return "the first round is being prepared";
  const std::uint64_t round = Number(round_.round);
  if (!collecting_) return format("round {}: aggregating", round);
  return format("round {}: {} of {} collaborators are done", round, DoneLocked(),
                round_.assignments.size());
}

std::string AggregatorVitals::Metrics() const {
  const std::lock_guard lock(mutex_);
  const auto number = [](auto value) { return static_cast<double>(value); };
  MetricsText text;
  text.Gauge("fx_round", "The round under way, counted from 0.", number(Number(round_.round)));
  text.Gauge("fx_federation_finished", "1 once the federation is over.", finished_ ? 1 : 0);
  text.Gauge("fx_aggregating", "1 while results are made into the next model.",
             begun_ && !collecting_ && !finished_ ? 1 : 0);
  text.Gauge("fx_collaborators", "Collaborators in the list this process started with.",
             number(members_));
  text.Gauge("fx_collaborators_seen", "Collaborators that have ever delivered a result.",
             number(seen_.size()));
  text.Gauge("fx_round_collaborators", "Collaborators that have tasks in this round.",
             number(round_.assignments.size()));
  text.Gauge("fx_round_collaborators_done", "Those of them that have delivered everything.",
             number(DoneLocked()));
  text.Gauge("fx_last_round_seconds", "How long the last closed round took.", last_round_seconds_);
  text.Counter("fx_rounds_closed_total", "Rounds that were closed.", number(rounds_));
  text.Counter("fx_results_total", "Results that were accepted.", number(results_));
  text.Counter("fx_update_bytes_total", "Bytes of the updates among them.",
               number(updates_ * model_bytes_));
  text.Counter("fx_stragglers_total", "Collaborators a round was closed without, summed up.",
               number(stragglers_));
  text.Counter("fx_task_failures_total", "Tasks a collaborator could not do.", number(failures_));
  return text.text();
}

}  // namespace fx
