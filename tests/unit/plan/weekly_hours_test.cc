#include "plan/weekly_hours.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using test::IsError;
using test::Must;
using testing::Optional;

enum Day { kMon, kTue, kWed, kThu, kFri, kSat, kSun };

int At(Day day, int hour, int minute = 0) {
  return (day * 24 + hour) * 60 + minute;
}

TEST(WeeklyHours, AreAlwaysUnlessSaidOtherwise) {
  EXPECT_TRUE(WeeklyHours().always());
  EXPECT_TRUE(WeeklyHours().Open(At(kSun, 23, 59)));
  EXPECT_EQ(WeeklyHours().MinutesUntilChange(0), std::nullopt);
}

TEST(WeeklyHours, BeginAndEndToTheMinute) {
  const WeeklyHours hours = Must(WeeklyHours::Parse("08:30-17:00"));
  for (const Day day : {kMon, kSat, kSun}) {
    EXPECT_FALSE(hours.Open(At(day, 8, 29)));
    EXPECT_TRUE(hours.Open(At(day, 8, 30)));
    EXPECT_TRUE(hours.Open(At(day, 16, 59)));
    EXPECT_FALSE(hours.Open(At(day, 17, 0)));
  }
}

TEST(WeeklyHours, GoOnPastMidnightAndPastTheWeeksEnd) {
  const WeeklyHours hours = Must(WeeklyHours::Parse("20:00-06:00"));
  EXPECT_TRUE(hours.Open(At(kMon, 0)));
  EXPECT_TRUE(hours.Open(At(kMon, 5, 59)));
  EXPECT_FALSE(hours.Open(At(kMon, 6)));
  EXPECT_TRUE(hours.Open(At(kSun, 23, 59)));
  EXPECT_THAT(hours.MinutesUntilChange(At(kSun, 23)), Optional(7 * 60));
  EXPECT_THAT(hours.MinutesUntilChange(At(kMon, 19, 59)), Optional(1));
}

TEST(WeeklyHours, MayDifferFromDayToDay) {
  const WeeklyHours hours =
      Must(WeeklyHours::Parse("Mon-Fri 20:00-06:00, Sat-Sun 00:00-24:00, Wed 12:00-13:00"));
  EXPECT_FALSE(hours.Open(At(kMon, 3)));  // Sunday's end at midnight
  EXPECT_TRUE(hours.Open(At(kTue, 3)));   // Monday's evening goes on
  EXPECT_TRUE(hours.Open(At(kSat, 12)));
  EXPECT_TRUE(hours.Open(At(kWed, 12, 30)));
  EXPECT_FALSE(hours.Open(At(kThu, 12, 30)));
  EXPECT_THAT(hours.MinutesUntilChange(At(kFri, 20)), Optional((4 + 48) * 60));
}

TEST(WeeklyHours, OfDaysMayGoRoundTheWeeksEnd) {
  const WeeklyHours hours = Must(WeeklyHours::Parse("Sat-Mon 10:00-11:00"));
  for (const Day day : {kSat, kSun, kMon}) EXPECT_TRUE(hours.Open(At(day, 10)));
  for (const Day day : {kTue, kFri}) EXPECT_FALSE(hours.Open(At(day, 10)));
}

TEST(WeeklyHours, OfTheWholeWeekAreAlways) {
  EXPECT_TRUE(Must(WeeklyHours::Parse("00:00-24:00")).always());
  EXPECT_TRUE(Must(WeeklyHours::Parse("06:00-18:00,18:00-06:00")).always());
}

TEST(WeeklyHours, ThatAreNoneAreQuoted) {
  for (const char* text :
       {"", "night", "20:00", "20:00-", "8:00-9:00", "25:00-06:00", "20:60-21:00", "20:00-20:00",
        "24:00-06:00", "Mo 20:00-06:00", "Mon- 20:00-06:00", "Mon-Fri", "24:01-06:00",
        "20:00-06:00,", "20:00-06:00 and more"}) {
    EXPECT_THAT(WeeklyHours::Parse(text), IsError(ErrorCode::kInvalidArgument, "is no time"))
        << text;
  }
}

TEST(WeeklyHours, MinutesHaveNames) {
  EXPECT_EQ(MinuteText(At(kMon, 6)), "Mon 06:00");
  EXPECT_EQ(MinuteText(At(kSun, 23, 59)), "Sun 23:59");
}

}  // namespace
}  // namespace fx
