#include "core/base/log_throttle.h"

#include <string>

#include "core/base/file.h"
#include "tests/support/must.h"

namespace fx {
namespace {

TEST(LogThrottle, LetsSoManyThroughAMinuteAndCountsTheRest) {
  LogThrottle throttle;
  for (int i = 0; i < LogThrottle::kLinesAMinute; ++i) EXPECT_EQ(throttle.Admit(1'000 + i), 0);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(throttle.Admit(60'000 + i), std::nullopt);
  EXPECT_EQ(throttle.Admit(61'000), 5);
  EXPECT_EQ(throttle.Admit(61'000), 0);
}

TEST(LogThrottle, BoundsWhatAFloodWrites) {
  const TempDir folder;
  const std::string log = folder.path() / "log";
  ASSERT_TRUE(AddLogFile(log));
  LogThrottle throttle;
  for (int i = 0; i < 10'000; ++i) throttle.Warn("a stranger knocked", {{"i", std::to_string(i)}});
  const std::string text = test::Must(ReadFile(log));
  // A minute may begin in between.
  EXPECT_LE(std::ranges::count(text, '\n'), 2 * LogThrottle::kLinesAMinute + 1);
  EXPECT_GE(std::ranges::count(text, '\n'), LogThrottle::kLinesAMinute);
}

}  // namespace
}  // namespace fx
