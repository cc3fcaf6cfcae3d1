// The aggregator's memory: every record it ever decided, in one SQLite file.
//
// The file is meant to be read by people too: `sqlite3 journal.db 'select * from record'`. Tables:
//
//   meta(key, value)                            federation_uuid, plan_digest
//   record(seq, at_ms, round, type, payload)    payload is JSON with its schema version in "v"
//   metric(round, origin, task, name, value)    one row a reported or aggregated metric; NaN is
//   NULL
//
// docs/internals/journal-format.md has the payloads. WAL with synchronous=FULL: what Append has
// returned from survives a power cut, and a transaction that was being written is dropped whole.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "aggregator/engine/record.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

struct sqlite3;

namespace fx::aggregator {

// Not thread-safe; the engine thread owns it.
class Journal {
 public:
  struct Entry {
    std::int64_t seq;  // from 1, without gaps
    TimeMs at;
    Record record;
  };

  // Opens `file`, or makes it (mode 0600; its folder must exist). Refuses, with kFailedPrecondition
  // and words: the journal of another federation or plan, one of a newer schema, and a file that is
  // something else. Such a file is left as it is.
  static Result<Journal> Open(const Path& file, const std::string& federation_uuid,
                              const std::string& plan_digest);

  // What Load would give, for someone who only looks: the file and its log stay as they are, and an
  // aggregator that has it open, or has been killed, is not disturbed. Nothing while the journal is
  // still being made. Refuses as Open does.
  static Result<std::vector<Entry>> Read(const Path& file, const std::string& federation_uuid,
                                         const std::string& plan_digest);

  // Every record in the order of its decision.
  Result<std::vector<Entry>> Load();

  // Adds `records`, and the metric rows that follow from them, in one transaction. A collaborator's
  // metrics have its name as origin, averaged ones "aggregator". After an error nothing was added.
  // On return it is durable; or, with kLater, it will be with the next that is not: a power cut
  // before that loses it, a crash of the process does not.
  enum class Flush { kNow, kLater };
  Status Append(TimeMs at, std::span<const Record> records, Flush flush = Flush::kNow);

 private:
  struct Closer {
    void operator()(sqlite3* db) const;
  };
  explicit Journal(sqlite3* db) : db_(db) {}
  Result<bool> CheckIsOurs();
  Status CheckBelongs(const std::string& federation_uuid, const std::string& plan_digest);
  Status Prepare(const std::string& federation_uuid, const std::string& plan_digest);
  Status Create(const std::string& federation_uuid, const std::string& plan_digest);
  Status CheckMeta(const std::string& key, const std::string& expected, const std::string& hint);
  Status AddRecord(TimeMs at, const Record& record);
  Status AddMetrics(const Record& record);
  Status ForgetMetrics(const ResultKey& result);
  Status SetFlush(Flush flush);
  Status AddMetric(const std::string& origin, const TaskName& task, const Metric& metric);

  std::unique_ptr<sqlite3, Closer> db_;
  Flush flush_ = Flush::kNow;
  Round round_{};  // of the last record: the round column of those that do not name theirs
};

}  // namespace fx::aggregator
