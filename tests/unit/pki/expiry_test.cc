#include "pki/expiry.h"

#include <gtest/gtest.h>

#include "pki/issued_list.h"

namespace fx {
namespace {

constexpr std::int64_t kDay = 24 * 3600;
constexpr std::int64_t kNow = 1'800'000'000;

std::string WarningAt(std::int64_t seconds_left) {
  return ExpiryWarning({.from = 0, .to = kNow + seconds_left}, kNow);
}

TEST(Expiry, IsWarnedOfFromThirtyDaysBefore) {
  EXPECT_EQ(WarningAt(30 * kDay), "");
  EXPECT_EQ(WarningAt(30 * kDay - 1), "expires in 29 days, on 2027-02-14 07:59 UTC");
  EXPECT_EQ(WarningAt(kDay), "expires in 1 day, on 2027-01-16 08:00 UTC");
  EXPECT_EQ(WarningAt(0), "expires within a day, on 2027-01-15 08:00 UTC");
  EXPECT_EQ(WarningAt(-1), "expired on 2027-01-15 07:59 UTC");
  EXPECT_EQ(ExpiryWarning({.from = kNow + 1, .to = kNow + kDay * 90}, kNow),
            "is not valid before 2027-01-15 08:00 UTC");
}

TEST(Expiry, CountsWholeDaysBothWays) {
  EXPECT_EQ(DaysLeft({.from = 0, .to = kNow + 2 * kDay - 1}, kNow), 1);
  EXPECT_EQ(DaysLeft({.from = 0, .to = kNow}, kNow), 0);
  EXPECT_EQ(DaysLeft({.from = 0, .to = kNow - 1}, kNow), -1);
  EXPECT_EQ(DaysLeft({.from = 0, .to = kNow - kDay}, kNow), -1);
  EXPECT_EQ(DaysLeft({.from = 0, .to = kNow - kDay - 1}, kNow), -2);
}

TEST(Asn1Time, IsReadAndWrittenInBothForms) {
  EXPECT_EQ(Asn1TimeText(kNow), "270115080000Z");
  EXPECT_EQ(SecondsOf("270115080000Z"), kNow);
  constexpr std::int64_t k2050 = 2'524'608'000;
  EXPECT_EQ(Asn1TimeText(k2050 - 1), "491231235959Z");
  EXPECT_EQ(Asn1TimeText(k2050), "20500101000000Z");
  EXPECT_EQ(SecondsOf("20500101000000Z"), k2050);
  EXPECT_EQ(SecondsOf("991231235959Z"), 946'684'799);
  for (const char* wrong : {"", "Z", "2701150800Z", "270115080000", "27011508000xZ"}) {
    EXPECT_EQ(SecondsOf(wrong), 0) << wrong;
  }
}

}  // namespace
}  // namespace fx
