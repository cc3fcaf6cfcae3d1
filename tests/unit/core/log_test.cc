#include "core/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

using internal::HumanText;
using internal::JsonText;
using internal::LogfmtText;

std::string Contents(const Path& path) {
  return ReadFile(path).value_or("");
}

TEST(Log, WritesOneLogfmtLineAnEventToAFile) {
  const TempDir dir;
  const Path path = dir.path() / "fx.log";
  ASSERT_TRUE(AddLogFile(path.string()));
  LogInfo("round closed", {{"round", "3"}, {"stragglers", "1"}});
  LogWarning("disk nearly full");
  const std::regex expected(
      R"re(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info msg="round closed" round=3 stragglers=1
\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=warning msg="disk nearly full"
)re");
  EXPECT_TRUE(std::regex_match(Contents(path), expected)) << Contents(path);
}

TEST(Log, WritesTheTimeInUtc) {
  const TempDir dir;
  const Path path = dir.path() / "fx.log";
  ASSERT_TRUE(AddLogFile(path.string()));
  const auto hour = [] {
    const std::time_t now = std::time(nullptr);
    std::tm utc = {};
    gmtime_r(&now, &utc);
    char text[16];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H", &utc);
    return std::string(text);
  };
  const std::string before = hour();
  LogInfo("now");
  const std::string logged = Contents(path).substr(0, 13);
  EXPECT_THAT((std::vector{before, hour()}), testing::Contains(logged));
}

TEST(Log, DropsLinesBelowTheLevel) {
  const TempDir dir;
  const Path path = dir.path() / "fx.log";
  ASSERT_TRUE(AddLogFile(path.string()));
  LogDebug("hidden by default");
  SetLogLevel(LogLevel::kError);
  LogWarning("hidden now");
  LogError("shown");
  SetLogLevel(LogLevel::kDebug);
  LogDebug("shown too");
  SetLogLevel(LogLevel::kInfo);
  EXPECT_THAT(Contents(path), testing::Not(testing::HasSubstr("hidden")));
  EXPECT_THAT(Contents(path), testing::HasSubstr("level=error msg=\"shown\""));
  EXPECT_THAT(Contents(path), testing::HasSubstr("level=debug msg=\"shown too\""));
}

TEST(Log, AppendsToAnOldFile) {
  const TempDir dir;
  const Path path = dir.path() / "fx.log";
  ASSERT_TRUE(AtomicWrite(path, "old line\n"));
  ASSERT_TRUE(AddLogFile(path.string()));
  LogInfo("new line");
  EXPECT_THAT(Contents(path), testing::StartsWith("old line\n2"));
}

TEST(Log, SaysWhenAFileCannotBeOpened) {
  EXPECT_FALSE(AddLogFile("/proc/no/such/folder/fx.log"));
}

TEST(Log, QuotesValuesThatWouldNotReadBack) {
  EXPECT_EQ(LogfmtText("m", {{"a", "plain-1.5/x"}, {"b", "two words"}, {"c", ""}, {"d", "x=y"}}),
            R"(msg="m" a=plain-1.5/x b="two words" c="" d="x=y")");
  EXPECT_EQ(LogfmtText(R"(say "hi" \o/)", {{"a", R"(q"b\)"}}),
            R"(msg="say \"hi\" \\o/" a="q\"b\\")");
}

TEST(Log, EscapesControlCharactersSoThatNoInputForgesALine) {
  EXPECT_EQ(LogfmtText("a\nb", {{"who", "x\nlevel=error\x1b[2J\x7f"}}),
            R"(msg="a\nb" who="x\nlevel=error\x1b[2J\x7f")");
  EXPECT_EQ(HumanText(LogLevel::kInfo, "a\nb\r", {{"who", "x\ty"}}), R"(a\nb\x0d who="x\x09y")");
}

TEST(Log, WritesAnEventAsOneJsonObjectOnRequest) {
  const TempDir dir;
  const Path path = dir.path() / "fx.log";
  ASSERT_TRUE(AddLogFile(path.string()));
  SetLogFormat(LogFormat::kJson);
  LogWarning("say \"hi\"\n", {{"round", "3"}});
  SetLogFormat(LogFormat::kAuto);
  LogInfo("as before");
  const std::regex expected(R"re(\{"time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",)re"
                            R"re("level":"warning","msg":"say \\"hi\\"\\u000a","round":"3"\}
\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z level=info msg="as before"
)re");
  EXPECT_TRUE(std::regex_match(Contents(path), expected)) << Contents(path);
}

TEST(Log, KeepsTheNamesOfItsOwnInJson) {
  EXPECT_EQ(JsonText(LogLevel::kInfo, "m", {{"level", "3"}, {"msg", "x"}, {"time", "y"}}),
            R"("level":"info","msg":"m","_level":"3","_msg":"x","_time":"y")");
}

TEST(Log, ShowsPeopleTheMessageFirst) {
  EXPECT_EQ(HumanText(LogLevel::kInfo, "round closed", {{"round", "3"}}), "round closed round=3");
  EXPECT_EQ(HumanText(LogLevel::kWarning, "late", {}), "warning: late");
  EXPECT_EQ(HumanText(LogLevel::kError, "lost", {}), "error: lost");
}

}  // namespace
}  // namespace fx
