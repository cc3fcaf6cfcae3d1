// What an aggregator tells people about its records: log lines, a table row a round, and the lines
// of its metrics file. All of it follows from records, so it cannot disagree with the journal.
#pragma once

#include <map>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "aggregator/engine/record.h"
#include "plan/plan.h"

namespace fx::aggregator {

// Not thread-safe; belongs to the engine thread.
class Report {
 public:
  // `table` may be null, else it outlives this.
  Report(const Plan& plan, std::ostream* table);

  // In the order of the journal. Records of an earlier run count and show in the table; they are
  // not logged again.
  void Replayed(TimeMs at, const Record& record);
  void Happened(TimeMs at, const Record& record);

  // The metrics file's lines of this federation so far, one a closed round.
  const std::vector<std::string>& metrics_lines() const { return metrics_lines_; }

 private:
  void Add(TimeMs at, const Record& record);
  void LogRecord(const Record& record) const;
  void LogMetrics(const ResultAccepted& result) const;
  void LogCompletion(const CollaboratorName& who) const;
  bool Completed(const CollaboratorName& who) const;
  void AddRow(double seconds, const RoundClosed& closed);

  const std::map<TaskName, TaskSpec> tasks_;
  std::ostream* const table_;
  std::vector<std::string> metrics_lines_;
  RoundOpened round_{};  // the current round
  TimeMs opened_at_{};
  std::set<std::pair<CollaboratorName, TaskName>> done_;  // in it
};

}  // namespace fx::aggregator
