#include "plan/site_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SiteFile : public testing::Test {
 protected:
  Result<SiteSettings> Load(const std::string& text) const {
    const Path file = folder_.path() / "site.yaml";
    test::Must(AtomicWrite(file, text));
    return LoadSiteFile(file);
  }
  // A password file of this mode.
  std::string Password(const std::string& text, FileMode mode = FileMode::kPrivate) const {
    const Path file = folder_.path() / "password";
    test::Must(AtomicWrite(file, text, mode));
    return file.string();
  }

  TempDir folder_;
};

TEST_F(SiteFile, ThatDoesNotExistAsksForNothing) {
  const auto site = LoadSiteFile(folder_.path() / "none.yaml");
  ASSERT_THAT(site, IsOk());
  EXPECT_FALSE(site->proxy);
  EXPECT_EQ(site->bytes_per_second, 0U);
  EXPECT_TRUE(site->hours.always());
}

TEST_F(SiteFile, SaysAllThereIsToSay) {
  const auto site =
      Load("proxy: http://proxy.example.org:3128\nproxy_user: ann\nproxy_password_file: " +
           Password("hush: hush \n") +
           "\nca_bundle: cert/hospital.pem\nmax_rate: 20 MB/s\nhours: Mon-Fri 20:00-06:00\n");
  ASSERT_THAT(site, IsOk());
  ASSERT_TRUE(site->proxy);
  EXPECT_EQ(site->proxy->Place(), "proxy.example.org:3128");
  EXPECT_EQ(site->proxy->user, "ann");
  EXPECT_EQ(site->proxy->password, "hush: hush ");
  EXPECT_THAT(site->proxy->origin, HasSubstr("site.yaml"));
  EXPECT_EQ(site->ca_bundle, "cert/hospital.pem");
  EXPECT_EQ(site->bytes_per_second, 20'000'000U);
  EXPECT_FALSE(site->hours.always());
}

TEST_F(SiteFile, MayBeEmptyOrRefuseAnyProxy) {
  EXPECT_THAT(Load(""), IsOk());
  EXPECT_THAT(Load("# nothing yet\n"), IsOk());
  EXPECT_TRUE(Load("proxy: none\n")->without_proxy);
}

TEST_F(SiteFile, TakesNoPasswordFromTheUrl) {
  const auto site = Load("proxy: http://ann:hush@proxy:3128\n");
  EXPECT_THAT(site, IsError(ErrorCode::kInvalidArgument, "proxy_password_file"));
  EXPECT_THAT(site.error().Render(), Not(HasSubstr("hush")));
}

TEST_F(SiteFile, TakesNoPasswordThatEverybodyCanRead) {
  const auto site = Load("proxy: http://proxy:3128\nproxy_user: ann\nproxy_password_file: " +
                         Password("hush", FileMode::kPublic) + "\n");
  EXPECT_THAT(site, IsError(ErrorCode::kInvalidArgument, "every user of this machine can read"));
  EXPECT_THAT(site.error().Render(), Not(HasSubstr("hush")));
}

TEST_F(SiteFile, NamesThePasswordFileThatIsMissingOrEmpty) {
  const std::string text = "proxy: http://proxy:3128\nproxy_user: ann\nproxy_password_file: ";
  EXPECT_THAT(Load(text + "/nowhere/at/all\n"),
              IsError(ErrorCode::kInvalidArgument, "/nowhere/at/all"));
  EXPECT_THAT(Load(text + Password("\n") + "\n"),
              IsError(ErrorCode::kInvalidArgument, "password is empty"));
}

TEST_F(SiteFile, WantsUserAndPasswordTogether) {
  EXPECT_THAT(Load("proxy: http://p:1\nproxy_user: ann\n"),
              IsError(ErrorCode::kInvalidArgument, "goes only together with"));
  EXPECT_THAT(Load("proxy: http://p:1\nproxy_password_file: x\n"),
              IsError(ErrorCode::kInvalidArgument, "goes only together with"));
  EXPECT_THAT(Load("proxy_user: ann\n"),
              IsError(ErrorCode::kInvalidArgument, "means nothing without proxy"));
}

TEST_F(SiteFile, ComplainsAboutEverythingAtOnceWithPlaces) {
  const auto site = Load("proxi: http://p:1\nmax_rate: fast\nhours: at night\n");
  ASSERT_FALSE(site);
  EXPECT_THAT(site.error().Render(),
              AllOf(HasSubstr("site.yaml:1"), HasSubstr("did you mean proxy?"),
                    HasSubstr("site.yaml:2: max_rate is wrong: \"fast\" is no rate"),
                    HasSubstr("site.yaml:3: hours is wrong: \"at night\" is no time")));
}

TEST(Rate, IsBytesOrBitsInPowersOfAThousand) {
  EXPECT_THAT(ParseRate("20 MB/s"), IsOkAndHolds(20'000'000U));
  EXPECT_THAT(ParseRate("20MB/s"), IsOkAndHolds(20'000'000U));
  EXPECT_THAT(ParseRate("0.5 kB/s").has_value(), false);
  EXPECT_THAT(ParseRate("2.5 kB/s"), IsOkAndHolds(2'500U));
  EXPECT_THAT(ParseRate("100 Mbit/s"), IsOkAndHolds(12'500'000U));
  EXPECT_THAT(ParseRate("1 Gbit/s"), IsOkAndHolds(125'000'000U));
}

TEST(Rate, IsRefusedIfItIsNone) {
  for (const char* text : {"", "20", "MB/s", "-1 MB/s", "20 MB", "20 mb/s", "nan MB/s", "inf MB/s",
                           "1e300 GB/s", "20 MB/s or so"}) {
    EXPECT_THAT(ParseRate(text), IsError(ErrorCode::kInvalidArgument, "is no rate")) << text;
  }
}

}  // namespace
}  // namespace fx
