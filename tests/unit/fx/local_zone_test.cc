// What TZ may say, and what becomes of it.
#include "fx/collaborator/local_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <map>
#include <string>

#include "core/base/file.h"
#include "core/base/log.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using test::IsOk;
using test::Must;
using testing::HasSubstr;

class LocalZone : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeFolders(zones() / "Europe"), IsOk());
    ASSERT_THAT(AtomicWrite(zones() / "Europe/Berlin", "TZif2..."), IsOk());
    ASSERT_THAT(AtomicWrite(zones() / "notes", "no zone"), IsOk());
  }
  void TearDown() override {
    zone_ ? setenv("TZ", zone_->c_str(), 1) : unsetenv("TZ");
    unsetenv("TZDIR");
    tzset();
  }
  // Of this process.
  void SetZone(const std::string& zone) const {
    setenv("TZ", zone.c_str(), 1);
    setenv("TZDIR", zones().c_str(), 1);
    tzset();
  }
  // What is wrong with it; "" if nothing is.
  std::string TroubleWith(const std::string& zone) const {
    const std::map<std::string, std::string> environment{{"TZ", zone}, {"TZDIR", zones().string()}};
    const auto trouble = TroubleWithZone([&](const char* name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      if (found == environment.end() || found->second.empty()) return std::nullopt;
      return found->second;
    });
    return trouble ? trouble->what + "; " + trouble->advice : "";
  }
  Path zones() const { return folder_.path(); }

 private:
  TempDir folder_;
  const std::optional<std::string> zone_ = EnvironmentOfProcess("TZ");
};

TEST_F(LocalZone, IsGoodIfTheLibraryCanUseIt) {
  for (const std::string& zone :
       {std::string(), std::string("Europe/Berlin"), std::string(":Europe/Berlin"),
        (zones() / "Europe/Berlin").string(), std::string("CET-1CEST,M3.5.0,M10.5.0/3"),
        std::string("<+0330>-3:30"), std::string("EST5"), std::string("UTC"), std::string("UTC0"),
        std::string("Etc/UTC"), std::string("Etc/Universal"), std::string("CET-1CEST"),
        std::string("CET-1CEST-2,J60/2:30,300/-1"), std::string("NST3:30NDT2:30:00,M3.2.0,M11.1.0"),
        std::string("<-02>2<-01>,M3.5.0/-1,M10.5.0/167")}) {
    EXPECT_EQ(TroubleWith(zone), "") << zone;
  }
}

TEST_F(LocalZone, IsNamedIfTheLibraryWouldTakeUtcInstead) {
  for (const std::string zone : {"Europe/Paris", ":Europe/Paris", "Europe", "notes", "CET", "/none",
                                 "A-1", "<CET-1", "+01:00", "Europe/Berlin5"}) {
    EXPECT_THAT(TroubleWith(zone), HasSubstr("TZ is " + zone + ", but ")) << zone;
    // The library's word: it is UTC.
    SetZone(zone);
    const std::time_t now = 1'700'000'000;
    std::tm local{};
    localtime_r(&now, &local);
    EXPECT_EQ(local.tm_gmtoff, 0) << zone;
  }
  EXPECT_THAT(TroubleWith("Europe/Paris"), HasSubstr("TZ=CET-1CEST,M3.5.0,M10.5.0/3"));
}

// Of these the library takes what it understands.
TEST_F(LocalZone, IsNamedIfItIsNoWholeRule) {
  for (const std::string zone :
       {"CET-99", "CET-1:60", "CET-1:00:00:00", "CET-1CEST,garbage", "CET-1CEST,M3.5.0",
        "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1CEST,J0,J300", "CET-1CEST,366,300", "CET-1CE",
        "CET-1CEST,M3.5.0,M10.5.0/3,", "CET-1 ", "CET-9999999999999999999"}) {
    EXPECT_THAT(TroubleWith(zone), HasSubstr("TZ is " + zone + ", but that is no rule ")) << zone;
  }
}

TEST_F(LocalZone, IsInTheLogOfASiteWithHours) {
  const std::string log = (zones() / "log").string();
  ASSERT_TRUE(AddLogFile(log));
  SetZone("Mars/Olympus");
  LogSite({});
  EXPECT_EQ(Must(ReadFile(log)), "");
  SiteSettings site;
  site.hours = Must(WeeklyHours::Parse("20:00-06:00"));
  LogSite(site);
  EXPECT_THAT(Must(ReadFile(log)), HasSubstr("level=warning msg=\"TZ is Mars/Olympus, but "));
  EXPECT_THAT(Must(ReadFile(log)), HasSubstr("(UTC+00:00)"));
}

}  // namespace
}  // namespace fx
