// A site's rate and hours on a clock of the tests' own.
#include "collaborator/site_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <numeric>
#include <vector>

#include "core/base/file.h"
#include "core/base/log.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/unit/collaborator/fake_time.h"

namespace fx::collaborator {
namespace {

using test::FakeTime;
using test::IsError;
using test::IsOk;
using test::Must;
using testing::EndsWith;
using testing::HasSubstr;

constexpr std::int64_t kSecond = 1'000'000;

TEST(TokenBucket, LetsAQuarterOfASecondPassAtOnce) {
  TokenBucket bucket(1000);
  EXPECT_EQ(bucket.Take(250, 0), 0);
  EXPECT_NEAR(static_cast<double>(bucket.Take(100, 0)), 0.1 * kSecond, 2);
}

TEST(TokenBucket, KeepsNoMoreThanTheBurstForLater) {
  TokenBucket bucket(1000);
  EXPECT_EQ(bucket.Take(250, 0), 0);
  EXPECT_EQ(bucket.Take(250, 3600 * kSecond), 0);
  EXPECT_GT(bucket.Take(1, 3600 * kSecond), 0);
}

TEST(TokenBucket, ADebtIsPaidBeforeMorePasses) {
  TokenBucket bucket(1000);
  EXPECT_NEAR(static_cast<double>(bucket.Take(10'250, 0)), 10 * kSecond, 2);
  EXPECT_NEAR(static_cast<double>(bucket.Take(1000, 4 * kSecond)), 7 * kSecond, 2);
}

// Whoever waits as it says moves no more than the rate over any stretch of time.
TEST(TokenBucket, KeepsTheRateWhateverThePieces) {
  for (const std::vector<std::uint64_t>& pieces :
       {std::vector<std::uint64_t>{1}, {1000}, {1, 999, 5000, 20}, {262'144}}) {
    TokenBucket bucket(10'000);
    std::int64_t now = 0;
    std::uint64_t passed = 0;
    for (int i = 0; i < 5000; ++i) {
      const std::uint64_t piece = pieces[static_cast<std::size_t>(i) % pieces.size()];
      passed += piece;
      now += bucket.Take(piece, now);
    }
    const double allowed = 10'000.0 * static_cast<double>(now) / kSecond + 2'500;
    EXPECT_LE(static_cast<double>(passed), allowed + 1);
    EXPECT_GE(static_cast<double>(passed), allowed - 2'501);
  }
}

TEST(SiteLimits, WithoutARateNothingWaits) {
  FakeTime time;
  SiteLimits limits(0, WeeklyHours(), time.World());
  EXPECT_TRUE(limits.Pass(1'000'000'000));
  EXPECT_EQ(time.waits(), 0);
  EXPECT_EQ(limits.Piece(77), 77U);
}

TEST(SiteLimits, WaitAsLongAsTheRateWants) {
  FakeTime time;
  SiteLimits limits(1'000'000, WeeklyHours(), time.World());
  for (int i = 0; i < 80; ++i) EXPECT_TRUE(limits.Pass(125'000));
  EXPECT_NEAR(static_cast<double>(time.elapsed_ms()), 9750, 100);
}

TEST(SiteLimits, PiecesTakeAnEighthOfASecond) {
  FakeTime time;
  EXPECT_EQ(SiteLimits(800'000, WeeklyHours(), time.World()).Piece(1 << 20), 100'000U);
  EXPECT_EQ(SiteLimits(1'000'000'000, WeeklyHours(), time.World()).Piece(1 << 20), 1U << 20);
  EXPECT_EQ(SiteLimits(1000, WeeklyHours(), time.World()).Piece(1 << 20), 4096U);
}

TEST(SiteLimits, OutsideOfItsHoursASiteWaitsForThem) {
  FakeTime time(12 * 60);
  SiteLimits limits(0, Must(WeeklyHours::Parse("20:00-06:00")), time.World());
  EXPECT_FALSE(limits.Open());
  EXPECT_EQ(limits.MsUntilClose(), 0);
  EXPECT_THAT(limits.WaitUntilOpen(), IsOk());
  EXPECT_EQ(time.minute(), 20 * 60);
  EXPECT_TRUE(limits.Open());
  EXPECT_EQ(limits.MsUntilClose(), 10 * 60 * 60'000);
  EXPECT_THAT(limits.WaitUntilOpen(), IsOk());
  EXPECT_EQ(time.minute(), 20 * 60);
}

TEST(SiteLimits, SayWhenTheHoursBeginAndWhatTimeItIs) {
  const TempDir folder;
  const std::string log = (folder.path() / "log").string();
  ASSERT_TRUE(AddLogFile(log));
  FakeTime time(12 * 60 + 5);
  time.SetUtcOffset(-210);
  SiteLimits limits(0, Must(WeeklyHours::Parse("20:00-06:00")), time.World());
  EXPECT_THAT(limits.WaitUntilOpen(), IsOk());
  EXPECT_THAT(Must(ReadFile(log)),
              HasSubstr("it goes on Mon 20:00, and it is Mon 12:05 (UTC-03:30) now"));
}

TEST(SiteLimits, AStopEndsTheWaitForTheHours) {
  FakeTime time(12 * 60);
  time.StopAfterWaits(3);
  SiteLimits limits(0, Must(WeeklyHours::Parse("20:00-06:00")), time.World());
  EXPECT_THAT(limits.WaitUntilOpen(), IsError(ErrorCode::kCancelled, "hours"));
  EXPECT_EQ(time.waits(), 4);
}

TEST(SiteLimits, ATransferEndsWithTheHours) {
  FakeTime time(6 * 60 - 1);
  SiteLimits limits(1000, Must(WeeklyHours::Parse("20:00-06:00")), time.World());
  EXPECT_TRUE(limits.Pass(10'000));
  EXPECT_FALSE(limits.Pass(100'000));
  EXPECT_EQ(time.minute(), 6 * 60);
}

TEST(SiteLimits, AStopEndsTheWaitForTheRate) {
  FakeTime time;
  time.StopAfterWaits(0);
  SiteLimits limits(1000, WeeklyHours(), time.World());
  EXPECT_FALSE(limits.Pass(10'000));
}

TEST(RealWorld, IsInTheZoneOfTheEnvironment) {
  const char* const before = std::getenv("TZ");
  const std::string zone = before == nullptr ? "" : before;
  setenv("TZ", "XYZ-05:45", 1);
  tzset();
  EXPECT_EQ(RealWorld({}).utc_offset(), 345);
  EXPECT_THAT(LocalTimeText(RealWorld({})), EndsWith(" (UTC+05:45)"));
  before == nullptr ? unsetenv("TZ") : setenv("TZ", zone.c_str(), 1);
  tzset();
}

TEST(RealWorld, KnowsWhatMinuteOfTheWeekItIs) {
  const int minute = RealWorld({}).minute_of_week();
  EXPECT_GE(minute, 0);
  EXPECT_LT(minute, kMinutesOfWeek);
}

}  // namespace
}  // namespace fx::collaborator
