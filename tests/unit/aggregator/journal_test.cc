#include "aggregator/store/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>

#include "aggregator/store/record_json.h"
#include "core/base/format.h"
#include "tests/support/matchers.h"

namespace fx::aggregator {
namespace {

using test::IsError;
using test::IsOk;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const std::string kFederation = "plan.yaml_0123abcd";
const std::string kDigest = "0123abcd";

// One record of every type, in an order an engine might decide them.
std::vector<Record> AllRecords() {
  return {
      RoundOpened{.round = Round{3},
                  .model = {"m3"},
                  .assignments = {{{"ann"}, {{"train"}, {"judge"}}}, {{"bøb"}, {{"judge"}}}},
                  .wanted = 1},
      DeadlineSet{TimeMs{1'700'000'000'123}},
      ResultAccepted{.who = {"ann"},
                     .task = {"train"},
                     .update = {"u1"},
                     .num_samples = 9'007'199'254'740'993,
                     .metrics = {{"loss", 0.1 + 0.2}, {"odd", std::nan("")}}},
      ResultAccepted{
          .who = {"bøb"}, .task = {"judge"}, .update = {}, .num_samples = -1, .metrics = {}},
      RoundClosed{.stragglers = {{"ann"}},
                  .contributors = {{"bøb"}},
                  .metrics = {{{"judge"}, {"accuracy", 0.75}}, {{"judge"}, {"x", -kInfinity}}},
                  .forgets = true},
      BestModelChosen{.round = Round{3}, .model = {"m3"}, .metric = "accuracy", .score = 0.75},
      ModelCommitted{{"m4"}},
      FederationFinished{},
  };
}

// What could be said in version 1.
std::vector<Record> AllRecordsOfTheFirstVersion() {
  std::vector<Record> records = AllRecords();
  for (Record& record : records) {
    if (auto* opened = std::get_if<RoundOpened>(&record)) opened->wanted = 0;
    if (auto* closed = std::get_if<RoundClosed>(&record)) {
      closed->contributors.clear();
      closed->forgets = false;
    }
  }
  return records;
}

std::vector<std::string> Json(const std::vector<Record>& records) {
  std::vector<std::string> lines;
  for (const Record& record : records) {
    lines.push_back(std::string(TypeOf(record)) + " " + ToJson(record));
  }
  return lines;
}

std::vector<std::string> Json(const std::vector<Journal::Entry>& entries) {
  std::vector<Record> records;
  for (const Journal::Entry& entry : entries) records.push_back(entry.record);
  return Json(records);
}

// What the sqlite3 command line makes of the file: the judge of whether others can read it.
std::string Sqlite(const Path& file, const std::string& sql) {
  FILE* pipe = popen(format("sqlite3 '{}' \"{}\" 2>&1", file.string(), sql).c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), n);
  }
  pclose(pipe);
  return out;
}

class JournalTest : public testing::Test {
 protected:
  Path file() const { return folder_.path() / "journal.db"; }
  Result<Journal> Open() { return Journal::Open(file(), kFederation, kDigest); }

  // Opens, appends and closes.
  void Write(const std::vector<Record>& records, std::int64_t at = 1000) {
    Result<Journal> journal = Open();
    ASSERT_THAT(journal, IsOk());
    ASSERT_THAT(journal->Append(TimeMs{at}, records), IsOk());
  }

  // What a fresh process finds.
  std::vector<Journal::Entry> Read() {
    Result<Journal> journal = Open();
    EXPECT_THAT(journal, IsOk());
    if (!journal) return {};
    Result<std::vector<Journal::Entry>> entries = journal->Load();
    EXPECT_THAT(entries, IsOk());
    return std::move(entries).value_or(std::vector<Journal::Entry>());
  }

  TempDir folder_;
};

const Path kTestdata = Path(FX_SOURCE_DIR) / "tests/unit/aggregator/testdata";

TEST(RecordJson, IsThatOfTheSecondVersion) {
  std::string lines;
  for (const std::string& line : Json(AllRecords())) lines += line + "\n";
  EXPECT_EQ(lines, *ReadFile(kTestdata / "records_v2.txt"));
}

TEST(RecordJson, OfTheFirstVersionIsStillRead) {
  std::istringstream lines(*ReadFile(kTestdata / "records_v1.txt"));
  std::vector<Record> records;
  for (std::string type, payload; lines >> type && std::getline(lines >> std::ws, payload);) {
    const Result<Record> record = FromJson(type, payload);
    ASSERT_THAT(record, IsOk()) << payload;
    records.push_back(*record);
  }
  EXPECT_EQ(Json(records), Json(AllRecordsOfTheFirstVersion()));
}

TEST(RecordJson, NamesLostResults) {
  const Record lost = ResultsLost{{{.who = {"ann"}, .task = {"train"}}}};
  EXPECT_EQ(TypeOf(lost), "ResultsLost");
  EXPECT_EQ(ToJson(lost), R"({"v":2,"results":[{"who":"ann","task":"train"}]})");
}

TEST(RecordJson, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(FromJson("RoundSkipped", R"({"v":1})"),
              IsError(ErrorCode::kFailedPrecondition, "its type RoundSkipped is unknown here"));
  EXPECT_THAT(FromJson("ModelCommitted", R"({"v":3,"model":"m"})"),
              IsError(ErrorCode::kFailedPrecondition, "version 3, expected at most 2"));
}

TEST(RecordJson, RefusesWhatIsTornOrOfAnotherType) {
  for (const char* payload :
       {"", "{", "null", "[]", R"({"v":1})", R"({"v":1,"model":7})", R"({"model":"m"})"}) {
    EXPECT_THAT(FromJson("ModelCommitted", payload),
                IsError(ErrorCode::kDataLoss, "cannot be read"))
        << payload;
  }
}

TEST(RecordJson, RefusesNumbersThatDoNotFitInsteadOfCuttingThem) {
  for (const char* deadline : {"1e30", "1.5", "9223372036854775808", "true"}) {
    EXPECT_THAT(FromJson("DeadlineSet", format(R"({{"v":1,"deadline":{}}})", deadline)),
                IsError(ErrorCode::kDataLoss, "cannot be read"))
        << deadline;
  }
  EXPECT_THAT(FromJson("ModelCommitted", R"({"v":55555555555555555555,"model":"m"})"),
              IsError(ErrorCode::kDataLoss, "cannot be read"));
}

TEST_F(JournalTest, GivesBackEveryKindOfRecordInOrder) {
  std::vector<Record> records = AllRecords();
  records.emplace_back(ResultsLost{{{.who = {"ann"}, .task = {"train"}}}});
  records.emplace_back(SiteFailed{.who = {"ann"}, .task = {"train"}, .reason = "NaN in \"conv1\""});
  records.emplace_back(ModelScored{.score = 0.1, .bar = std::nan(""), .stalled = 3});
  records.emplace_back(TrainingStopped{"no gain in 3 rounds"});
  records.emplace_back(SiteLeft{{"bob"}});
  records.emplace_back(PauseSet{true});
  ASSERT_EQ(records.back().index() + 1, std::variant_size_v<Record>);
  Write(records);
  EXPECT_EQ(Json(Read()), Json(records));
}

TEST_F(JournalTest, ForgetsTheMetricsOfLostResultsButNotTheirRecords) {
  const Record accepted = ResultAccepted{.who = {"ann"},
                                         .task = {"train"},
                                         .update = {"u"},
                                         .num_samples = 1,
                                         .metrics = {{"loss", 0.5}}};
  const auto open = [](std::uint32_t round) {
    return RoundOpened{.round = Round{round}, .model = {}, .assignments = {}};
  };
  Write({open(4), accepted, open(5), accepted, ResultsLost{{{.who = {"ann"}, .task = {"train"}}}}});
  EXPECT_EQ(Sqlite(file(), "select round from metric"), "4\n");
  Write({accepted});
  EXPECT_EQ(Sqlite(file(), "select round from metric order by round"), "4\n5\n");
  EXPECT_EQ(Read().size(), 6U);
}

TEST_F(JournalTest, CanBeReadBySomeoneElseWithoutATraceOfIt) {
  const auto records_of = [](const Result<std::vector<Journal::Entry>>& entries) {
    EXPECT_THAT(entries, IsOk());
    return entries ? entries->size() : 0;
  };
  const auto log = [this] { return ReadFile(file().string() + "-wal").value_or("none"); };
  {
    Result<Journal> journal = Open();
    ASSERT_THAT(journal->Append(TimeMs{1}, AllRecords()), IsOk());
    const std::string before = log();
    EXPECT_EQ(records_of(Journal::Read(file(), kFederation, kDigest)), AllRecords().size());
    EXPECT_EQ(log(), before);
    ASSERT_THAT(journal->Append(TimeMs{2}, AllRecords(), Journal::Flush::kLater), IsOk());
    EXPECT_EQ(records_of(Journal::Read(file(), kFederation, kDigest)), 2 * AllRecords().size());
  }
  const std::vector<Path> before = *ListFolder(folder_.path());
  EXPECT_EQ(records_of(Journal::Read(file(), kFederation, kDigest)), 2 * AllRecords().size());
  EXPECT_EQ(*ListFolder(folder_.path()), before);
}

TEST_F(JournalTest, IsNotReadIfItIsAnothersOrNewer) {
  Write(AllRecords());
  EXPECT_THAT(Journal::Read(file(), kFederation, "ffff"),
              IsError(ErrorCode::kFailedPrecondition, "its plan_digest is 0123abcd"));
  Sqlite(file(), "pragma user_version = 2");
  EXPECT_THAT(Journal::Read(file(), kFederation, kDigest),
              IsError(ErrorCode::kFailedPrecondition, "has schema 2, expected at most 1"));
}

TEST_F(JournalTest, KeepsTimesAndCountsFromOne) {
  Write({ModelCommitted{{"a"}}}, 1000);
  Write({ModelCommitted{{"b"}}, FederationFinished{}}, 2000);
  const std::vector<Journal::Entry> entries = Read();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].at, TimeMs{1000});
  EXPECT_EQ(entries[2].at, TimeMs{2000});
  EXPECT_EQ(entries[2].seq, 3);
}

TEST_F(JournalTest, IsEmptyWhenNew) {
  EXPECT_TRUE(Read().empty());
}

TEST_F(JournalTest, KeepsEveryBitOfANumber) {
  const double value = std::nextafter(0.1, 1.0);
  Write({BestModelChosen{.round = {}, .model = {}, .metric = "x", .score = value}});
  EXPECT_EQ(std::get<BestModelChosen>(Read().at(0).record).score, value);
}

TEST_F(JournalTest, IsForItsOwnerOnly) {
  Result<Journal> journal = Open();
  ASSERT_THAT(journal->Append(TimeMs{1}, AllRecords()), IsOk());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info = {};
    ASSERT_EQ(stat((file().string() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << suffix;
  }
}

TEST_F(JournalTest, CanBeReadWithSqliteWhileItIsOpen) {
  Result<Journal> journal = Open();
  ASSERT_THAT(journal->Append(TimeMs{7}, AllRecords()), IsOk());
  EXPECT_EQ(Sqlite(file(), "select key, value from meta"),
            "federation_uuid|plan.yaml_0123abcd\nplan_digest|0123abcd\n");
  EXPECT_EQ(Sqlite(file(), "select seq, at_ms, round, type from record where seq in (1, 8)"),
            "1|7|3|RoundOpened\n8|7|3|FederationFinished\n");
  EXPECT_EQ(Sqlite(file(), "select json_extract(payload, '$.model') from record where seq = 7"),
            "m4\n");
  EXPECT_EQ(Sqlite(file(), "select * from metric"),
            "3|ann|train|loss|0.3\n3|ann|train|odd|\n"
            "3|aggregator|judge|accuracy|0.75\n3|aggregator|judge|x|-Inf\n");
}

TEST_F(JournalTest, KeepsTheRoundOfRecordsThatDoNotNameItOverARestart) {
  Write({RoundOpened{.round = Round{5}, .model = {}, .assignments = {}}});
  Write({RoundClosed{}});
  EXPECT_EQ(Sqlite(file(), "select round from record"), "5\n5\n");
}

TEST_F(JournalTest, RefusesAnotherFederationOrPlan) {
  Write(AllRecords());
  EXPECT_THAT(Journal::Open(file(), "plan.yaml_ffffffff", kDigest),
              IsError(ErrorCode::kFailedPrecondition,
                      "its federation_uuid is plan.yaml_0123abcd, expected plan.yaml_ffffffff"));
  EXPECT_THAT(Journal::Open(file(), kFederation, "ffff"),
              IsError(ErrorCode::kFailedPrecondition, "its plan_digest is 0123abcd"));
  EXPECT_EQ(Read().size(), AllRecords().size());
}

TEST_F(JournalTest, RefusesAFileThatIsSomethingElseAndLeavesItAlone) {
  const std::string text(5000, 'x');
  ASSERT_THAT(AtomicWrite(file(), text), IsOk());
  EXPECT_THAT(Open(), IsError(ErrorCode::kFailedPrecondition, "not an SQLite database"));
  EXPECT_EQ(*ReadFile(file()), text);
}

TEST_F(JournalTest, RefusesTheDatabaseOfAnotherProgram) {
  Sqlite(file(), "create table songs(name)");
  EXPECT_THAT(Open(), IsError(ErrorCode::kFailedPrecondition, "another program"));
  EXPECT_EQ(Sqlite(file(), "pragma journal_mode"), "delete\n");
}

TEST_F(JournalTest, RefusesANewerSchema) {
  Write(AllRecords());
  Sqlite(file(), "pragma user_version = 2");
  EXPECT_THAT(Open(), IsError(ErrorCode::kFailedPrecondition, "has schema 2, expected at most 1"));
}

TEST_F(JournalTest, RefusesAGapAndAPayloadItCannotRead) {
  Write(AllRecords());
  Sqlite(file(), "update record set payload = '{' where seq = 4");
  EXPECT_THAT(Open()->Load(),
              IsError(ErrorCode::kDataLoss, "record 4\n  because: its payload cannot"));
  Sqlite(file(), "delete from record where seq = 2");
  EXPECT_THAT(Open()->Load(), IsError(ErrorCode::kDataLoss, "record 2 is missing"));
}

TEST_F(JournalTest, SaysWhereItCannotBeMade) {
  EXPECT_THAT(Journal::Open(folder_.path() / "none" / "journal.db", kFederation, kDigest),
              IsError(ErrorCode::kNotFound, "none/journal.db"));
}

TEST_F(JournalTest, AddsAllRecordsOfACallOrNone) {
  Write({RoundOpened{.round = Round{4}, .model = {}, .assignments = {}}});
  Sqlite(file(),
         "create trigger full before insert on record when new.type = 'ModelCommitted' "
         "begin select raise(abort, 'no room'); end");
  Result<Journal> journal = Open();
  const std::vector<Record> refused = {
      RoundClosed{.stragglers = {}, .metrics = {{{"judge"}, {"accuracy", 1}}}},
      RoundOpened{.round = Round{5}, .model = {}, .assignments = {}}, ModelCommitted{{"m"}}};
  EXPECT_THAT(journal->Append(TimeMs{1}, refused), IsError(ErrorCode::kInternal, "no room"));
  EXPECT_EQ(Sqlite(file(), "select count(*) from metric"), "0\n");
  ASSERT_THAT(journal->Append(TimeMs{2}, std::vector<Record>{FederationFinished{}}), IsOk());
  EXPECT_EQ(Sqlite(file(), "select round, type from record"),
            "4|RoundOpened\n4|FederationFinished\n");
}

// A power cut while the log is being written: whatever is left of its tail, every transaction
// before it is whole, and none is half there.
TEST_F(JournalTest, DropsATornTailWhole) {
  Result<Journal> journal = Open();
  for (int i = 0; i < 3; ++i) {
    const std::vector<Record> two = {ModelCommitted{{format("a{}", i)}},
                                     ModelCommitted{{format("b{}", i)}}};
    ASSERT_THAT(journal->Append(TimeMs{i}, two), IsOk());
  }
  const std::string log = *ReadFile(file().string() + "-wal");
  const std::string main = *ReadFile(file());
  std::size_t most = 0;
  for (std::size_t size = 0; size <= log.size(); size += 1021) {
    const TempDir after;
    const Path copy = after.path() / "journal.db";
    ASSERT_THAT(AtomicWrite(copy, main), IsOk());
    ASSERT_THAT(AtomicWrite(copy.string() + "-wal", log.substr(0, size)), IsOk());
    Result<Journal> again = Journal::Open(copy, kFederation, kDigest);
    ASSERT_THAT(again, IsOk()) << size;
    const auto entries = again->Load();
    ASSERT_THAT(entries, IsOk()) << size;
    EXPECT_EQ(entries->size() % 2, 0U) << size;
    EXPECT_GE(entries->size(), most) << size;
    most = entries->size();
  }
  EXPECT_GE(most, 4U);
}

// Written by the first version, and to be opened by every later one. Never made anew.
TEST_F(JournalTest, ReadsTheJournalOfTheFirstVersion) {
  std::error_code error;
  ASSERT_TRUE(std::filesystem::copy_file(kTestdata / "journal_v1.db", file(), error))
      << error.message();
  std::filesystem::permissions(file(), std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add, error);
  EXPECT_EQ(Json(Read()), Json(AllRecordsOfTheFirstVersion()));
}

}  // namespace
}  // namespace fx::aggregator
