#include "aggregator/store/journal.h"

#include <sqlite3.h>
#include <unistd.h>

#include <cmath>
#include <string_view>
#include <utility>
#include <variant>

#include "aggregator/store/record_json.h"
#include "core/base/failpoint.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

constexpr int kApplicationId = 0x66786A6E;  // "fxjn", in the header of the file
constexpr int kSchemaVersion = 1;
constexpr int kBusyMs = 5000;  // a person's sqlite3 may hold a lock for a moment

constexpr const char* kSchema =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE record(seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, round INTEGER NOT NULL,"
    " type TEXT NOT NULL, payload TEXT NOT NULL);"
    "CREATE TABLE metric(round INTEGER NOT NULL, origin TEXT NOT NULL, task TEXT NOT NULL,"
    " name TEXT NOT NULL, value REAL);";

ErrorCode CodeOf(int sqlite_error) {
  switch (sqlite_error & 0xFF) {
    case SQLITE_FULL:
      return ErrorCode::kResourceExhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return ErrorCode::kPermissionDenied;
    case SQLITE_NOTADB:
      return ErrorCode::kFailedPrecondition;
    case SQLITE_CORRUPT:
    case SQLITE_IOERR:
      return ErrorCode::kDataLoss;
    default:
      return ErrorCode::kInternal;
  }
}

tl::unexpected<Error> FailOn(sqlite3* db) {
  const char* file = sqlite3_db_filename(db, "main");
  return Fail(CodeOf(sqlite3_extended_errcode(db)),
              format("journal {}: {}", file == nullptr ? "" : file, sqlite3_errmsg(db)));
}

Status Execute(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return FailOn(db);
  return Ok();
}

// One prepared statement; its parameters are counted from 1, its columns from 0.
class Statement {
 public:
  static Result<Statement> Prepare(sqlite3* db, std::string_view sql) {
    Statement statement(db);
    sqlite3_stmt* raw = nullptr;
    const int rc = sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
    statement.stmt_.reset(raw);
    if (rc != SQLITE_OK) return FailOn(db);
    return statement;
  }

  Statement& Bind(int index, std::int64_t value) {
    sqlite3_bind_int64(stmt_.get(), index, value);
    return *this;
  }
  Statement& Bind(int index, double value) {
    sqlite3_bind_double(stmt_.get(), index, value);
    return *this;
  }
  Statement& Bind(int index, std::string_view value) {
    sqlite3_bind_text(stmt_.get(), index, value.data(), static_cast<int>(value.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }

  // True while there is a row.
  Result<bool> Step() {
    const int rc = sqlite3_step(stmt_.get());
    if (rc == SQLITE_ROW) return true;
    if (rc == SQLITE_DONE) return false;
    return FailOn(db_);
  }
  Status Run() {
    TRY(Step());
    return Ok();
  }

  std::int64_t Int(int column) { return sqlite3_column_int64(stmt_.get(), column); }
  std::string Text(int column) {
    const unsigned char* text = sqlite3_column_text(stmt_.get(), column);
    if (text == nullptr) return {};
    return {reinterpret_cast<const char*>(text),
            static_cast<std::size_t>(sqlite3_column_bytes(stmt_.get(), column))};
  }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* stmt) const { sqlite3_finalize(stmt); }
  };
  explicit Statement(sqlite3* db) : db_(db) {}
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, Finalizer> stmt_;
};

Result<std::int64_t> QueryInt(sqlite3* db, std::string_view sql) {
  Statement statement = TRY(Statement::Prepare(db, sql));
  return TRY(statement.Step()) ? statement.Int(0) : 0;
}

tl::unexpected<Error> NotAJournal(const Path& file, std::string_view why) {
  return Fail(Error(ErrorCode::kFailedPrecondition,
                    format("{} is not an aggregator's journal: {}", file.string(), why))
                  .Hint("move the file away if it is not needed, or check the path"));
}

#if FX_FAILPOINTS
// SQLite's writes are failpoints too.
ssize_t WriteOfSqlite(int fd, const void* bytes, std::size_t size, off_t offset) {
  if (FX_FAILPOINT_WRITE("pwrite", [&] { (void)::pwrite(fd, bytes, size / 2, offset); })) return -1;
  return ::pwrite(fd, bytes, size, offset);
}

void LetSqliteFail() {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  for (const char* call : {"pwrite", "pwrite64"}) {
    if (vfs->xGetSystemCall(vfs, call) == nullptr) continue;
    vfs->xSetSystemCall(vfs, call, reinterpret_cast<sqlite3_syscall_ptr>(WriteOfSqlite));
  }
}
#else
void LetSqliteFail() {}
#endif

// A journal without a log was closed in order. Told that nobody changes it, SQLite makes no files
// beside it either.
std::string ReadOnlyUri(const Path& file) {
  std::string uri = "file:";
  for (const char c : file.string()) {
    const bool special = c == '%' || c == '?' || c == '#';
    uri += special ? format("%{:02x}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return Exists(file.string() + "-wal") ? uri : uri + "?immutable=1";
}

Path FileOf(sqlite3* db) {
  return sqlite3_db_filename(db, "main");
}

}  // namespace

void Journal::Closer::operator()(sqlite3* db) const {
  FX_FAILPOINT_SCOPE("journal.close");
  sqlite3_close(db);
}

Result<Journal> Journal::Open(const Path& file, const std::string& federation_uuid,
                              const std::string& plan_digest) {
  FX_FAILPOINT_SCOPE("journal.open");
  LetSqliteFail();
  // Made here and not by SQLite, for its mode; the write-ahead log inherits it.
  if (!Exists(file)) {
    TRY(OutputFile::Open(file, OutputFile::Existing::kKeep, FileMode::kPrivate));
  }
  sqlite3* db = nullptr;
  const int rc = sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr);
  Journal journal(db);
  if (rc != SQLITE_OK) return FailOn(db);
  sqlite3_busy_timeout(db, kBusyMs);
  TRY(journal.Prepare(federation_uuid, plan_digest));
  return journal;
}

// Whether the file is new, if it is ours at all.
Result<bool> Journal::CheckIsOurs() {
  sqlite3* db = db_.get();
  const Result<std::int64_t> application = QueryInt(db, "PRAGMA application_id");
  if (!application && application.error().code() == ErrorCode::kFailedPrecondition) {
    return NotAJournal(FileOf(db), "it is not an SQLite database");
  }
  TRY(Result<std::int64_t>(application));
  const std::int64_t version = TRY(QueryInt(db, "PRAGMA user_version"));
  const std::int64_t tables = TRY(QueryInt(db, "SELECT count(*) FROM sqlite_master"));
  const bool fresh = *application == 0 && version == 0 && tables == 0;
  if (!fresh && *application != kApplicationId) {
    return NotAJournal(FileOf(db), "it is a database of another program");
  }
  if (version > kSchemaVersion) {
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      format("journal {} has schema {}, expected at most {}", FileOf(db).string(),
                             version, kSchemaVersion))
                    .Hint("use the version of fx that wrote it, or a newer one"));
  }
  return fresh;
}

Status Journal::CheckBelongs(const std::string& federation_uuid, const std::string& plan_digest) {
  const std::string hint =
      "every federation and every version of its plan needs a workspace of its own; to start over "
      "here, move the journal away";
  TRY(CheckMeta("federation_uuid", federation_uuid, hint));
  return CheckMeta("plan_digest", plan_digest, hint);
}

Status Journal::Prepare(const std::string& federation_uuid, const std::string& plan_digest) {
  sqlite3* db = db_.get();
  const bool fresh = TRY(CheckIsOurs());
  TRY(Execute(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"));
  if (fresh) TRY(Create(federation_uuid, plan_digest));
  TRY(CheckBelongs(federation_uuid, plan_digest));
  const std::int64_t round =
      TRY(QueryInt(db, "SELECT round FROM record ORDER BY seq DESC LIMIT 1"));
  round_ = Round{static_cast<std::uint32_t>(round)};
  return Ok();
}

Status Journal::Create(const std::string& federation_uuid, const std::string& plan_digest) {
  sqlite3* db = db_.get();
  TRY(Execute(db, "BEGIN IMMEDIATE"));  // a crash before COMMIT leaves an empty file: fresh again
  TRY(Execute(db, kSchema));
  TRY(Execute(
      db, format("PRAGMA application_id={}; PRAGMA user_version={}", kApplicationId, kSchemaVersion)
              .c_str()));
  Statement insert = TRY(Statement::Prepare(db, "INSERT INTO meta VALUES(?, ?), (?, ?)"));
  TRY(insert.Bind(1, "federation_uuid")
          .Bind(2, federation_uuid)
          .Bind(3, "plan_digest")
          .Bind(4, plan_digest)
          .Run());
  return Execute(db, "COMMIT");
}

Status Journal::CheckMeta(const std::string& key, const std::string& expected,
                          const std::string& hint) {
  Statement query = TRY(Statement::Prepare(db_.get(), "SELECT value FROM meta WHERE key = ?"));
  const bool found = TRY(query.Bind(1, key).Step());
  const std::string actual = found ? query.Text(0) : "missing";
  if (actual == expected) return Ok();
  return Fail(Error(ErrorCode::kFailedPrecondition,
                    format("journal {} belongs to another experiment: its {} is {}, expected {}",
                           FileOf(db_.get()).string(), key, actual, expected))
                  .Hint(hint));
}

Result<std::vector<Journal::Entry>> Journal::Read(const Path& file,
                                                  const std::string& federation_uuid,
                                                  const std::string& plan_digest) {
  sqlite3* db = nullptr;
  const int rc = sqlite3_open_v2(ReadOnlyUri(file).c_str(), &db,
                                 SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  Journal journal(db);
  if (rc != SQLITE_OK) return FailOn(db);
  sqlite3_busy_timeout(db, kBusyMs);
  // Or the last to close it would fold the log into the file.
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  if (TRY(journal.CheckIsOurs())) return std::vector<Entry>();
  TRY(journal.CheckBelongs(federation_uuid, plan_digest));
  return journal.Load();
}

Result<std::vector<Journal::Entry>> Journal::Load() {
  Statement query = TRY(
      Statement::Prepare(db_.get(), "SELECT seq, at_ms, type, payload FROM record ORDER BY seq"));
  std::vector<Entry> entries;
  while (TRY(query.Step())) {
    const std::string place =
        format("journal {}: record {}", FileOf(db_.get()).string(), entries.size() + 1);
    if (query.Int(0) != static_cast<std::int64_t>(entries.size()) + 1) {
      return Fail(ErrorCode::kDataLoss, format("{} is missing", place));
    }
    Record record = TRY(In(FromJson(query.Text(2), query.Text(3)), place));
    entries.push_back(
        {.seq = query.Int(0), .at = TimeMs{query.Int(1)}, .record = std::move(record)});
  }
  return entries;
}

Status Journal::Append(TimeMs at, std::span<const Record> records, Flush flush) {
  if (records.empty()) return Ok();
  TRY(SetFlush(flush));
  FX_FAILPOINT_SCOPE("journal.append");
  FX_FAILPOINT("begin");
  const Round before = round_;
  Status done = Execute(db_.get(), "BEGIN IMMEDIATE");
  for (const Record& record : records) {
    if (done) done = AddRecord(at, record);
    if (done) done = AddMetrics(record);
  }
  FX_FAILPOINT("commit");
  if (done) done = Execute(db_.get(), "COMMIT");
  FX_FAILPOINT("committed");
  if (!done) {
    round_ = before;
    (void)Execute(db_.get(), "ROLLBACK");  // fails if SQLite has rolled back already
  }
  return done;
}

// With NORMAL, a commit to the write-ahead log is not synced; the next with FULL syncs both.
Status Journal::SetFlush(Flush flush) {
  if (flush == flush_) return Ok();
  TRY(Execute(db_.get(),
              flush == Flush::kNow ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  flush_ = flush;
  return Ok();
}

Status Journal::AddRecord(TimeMs at, const Record& record) {
  if (const auto* opened = std::get_if<RoundOpened>(&record)) round_ = opened->round;
  Statement insert = TRY(Statement::Prepare(
      db_.get(), "INSERT INTO record(at_ms, round, type, payload) VALUES(?, ?, ?, ?)"));
  return insert.Bind(1, Count(at))
      .Bind(2, std::int64_t{Number(round_)})
      .Bind(3, TypeOf(record))
      .Bind(4, ToJson(record))
      .Run();
}

Status Journal::AddMetrics(const Record& record) {
  if (const auto* result = std::get_if<ResultAccepted>(&record)) {
    for (const Metric& metric : result->metrics) {
      TRY(AddMetric(result->who.value, result->task, metric));
    }
  }
  if (const auto* closed = std::get_if<RoundClosed>(&record)) {
    for (const AggregatedMetric& m : closed->metrics) {
      TRY(AddMetric("aggregator", m.task, m.metric));
    }
  }
  if (const auto* lost = std::get_if<ResultsLost>(&record)) {
    for (const ResultKey& result : lost->results) TRY(ForgetMetrics(result));
  }
  return Ok();
}

Status Journal::ForgetMetrics(const ResultKey& result) {
  Statement remove = TRY(Statement::Prepare(
      db_.get(), "DELETE FROM metric WHERE round = ? AND origin = ? AND task = ?"));
  return remove.Bind(1, std::int64_t{Number(round_)})
      .Bind(2, result.who.value)
      .Bind(3, result.task.value)
      .Run();
}

Status Journal::AddMetric(const std::string& origin, const TaskName& task, const Metric& metric) {
  Statement insert = TRY(Statement::Prepare(db_.get(), "INSERT INTO metric VALUES(?, ?, ?, ?, ?)"));
  return insert.Bind(1, std::int64_t{Number(round_)})
      .Bind(2, origin)
      .Bind(3, task.value)
      .Bind(4, metric.name)
      .Bind(5, metric.value)
      .Run();
}

}  // namespace fx::aggregator
