// Where a running aggregator stands, in a line for people and in numbers for Prometheus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "aggregator/engine/record.h"
#include "core/base/names.h"
#include "plan/plan.h"

namespace fx {

// All of it follows from the records, those of earlier processes included, so that counters do not
// begin anew with a restart. Thread-safe.
class AggregatorVitals {
 public:
  explicit AggregatorVitals(const Plan& plan);

  void Happened(TimeMs at, const aggregator::Record& record);

  // "round 3: 1 of 2 collaborators are done"
  std::string Line() const;
  std::string Metrics() const;

 private:
  void Take(TimeMs at, const aggregator::RoundOpened& opened);
  void Take(const aggregator::ResultAccepted& result);
  void Take(const aggregator::ResultsLost& lost);
  void Take(TimeMs at, const aggregator::RoundClosed& closed);
  std::size_t DoneLocked() const;

  const std::size_t members_;  // of the plan
  const std::uint64_t model_bytes_;

  mutable std::mutex mutex_;
  aggregator::RoundOpened round_{};
  std::set<std::pair<CollaboratorName, TaskName>> done_;  // in it
  std::set<CollaboratorName> seen_;                       // of whom there ever was a result
  TimeMs opened_at_{};
  bool begun_ = false, collecting_ = false, finished_ = false;
  std::uint64_t rounds_ = 0, results_ = 0, updates_ = 0, stragglers_ = 0, failures_ = 0;
  double last_round_seconds_ = 0;
};

}  // namespace fx
