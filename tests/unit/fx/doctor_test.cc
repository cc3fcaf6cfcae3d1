#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fx/doctor/examinations.h"
#include "pki/certificate_authority.h"
#include "plan/load.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using nlohmann::json;
using test::IsOk;
using test::Must;
using testing::HasSubstr;

constexpr std::int64_t kDay = 24 * 60 * 60;

class Doctor : public test::InitializedTest {
 protected:
  void SetUp() override {
    InitializedTest::SetUp();
    ASSERT_EQ(Run({"aggregator", "generate-cert-request", "--fqdn", "localhost"}), ExitCode::kDone);
    ASSERT_EQ(Run({"aggregator", "certify", "--fqdn", "localhost", "-s"}), ExitCode::kDone);
  }
  void AddSite(const std::string& name, const std::string& data) {
    ASSERT_EQ(Run({"collaborator", "create", "-n", name, "-d", data, "-s"}), ExitCode::kDone);
    CertifySite(name);
  }
  // The check of this name in the last run's JSON.
  json Check(const std::string& name) {
    const json list = json::parse(out());
    for (const json& check : list) {
      if (check.at("check") == name) return check;
    }
    return {};
  }
  ExitCode Examine(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"doctor", "--json"});
    return Run(options);
  }
  static Plan Loaded() { return Must(LoadPlan("plan/plan.yaml", "plan/cols.yaml")); }
};

TEST_F(Doctor, FindsAnAggregatorThatCanStart) {
  EXPECT_EQ(Examine(), ExitCode::kDone) << out() << err();
  for (const char* check :
       {"clock", "plan", "initial model", "certificate of the aggregator", "port", "disk space"}) {
    EXPECT_EQ(Check(check).value("finding", ""), "ok") << check << out();
  }
  EXPECT_EQ(Check("collaborators").at("finding"), "warning");
}

TEST_F(Doctor, SaysItInWordsAndWhatHelps) {
  ASSERT_THAT(RemoveIfExists("save/init.pbuf"), IsOk());
  EXPECT_EQ(Run({"doctor"}), ExitCode::kFailed);
  EXPECT_THAT(out(), testing::ContainsRegex("failed   initial model +[^\n]*save/init.pbuf"));
  EXPECT_THAT(out(), HasSubstr("what helps: fx plan initialize makes it"));
  EXPECT_THAT(err(), HasSubstr("this workspace is not fit for a run"));
  EXPECT_THAT(err(), HasSubstr("1 of "));
}

TEST_F(Doctor, FindsAnInitialModelOfAnotherNetwork) {
  const Plan plan = Loaded();
  Plan other = plan;
  other.task_runner.layers.front().units += 1;
  ASSERT_THAT(InferShapes(other.task_runner), IsOk());
  CheckList list;
  ExamineInitialModel(other, list);
  EXPECT_THAT(list.Text(), HasSubstr("is not of the plan's network"));
}

TEST_F(Doctor, FindsAPlanWithFaults) {
  std::string text = Must(ReadFile("plan/plan.yaml"));
  text.replace(text.find("rounds_to_train"), 15, "rounds_to_trian");
  ASSERT_THAT(AtomicWrite("plan/plan.yaml", text), IsOk());
  EXPECT_EQ(Examine(), ExitCode::kFailed);
  EXPECT_THAT(Check("plan").at("found"), HasSubstr("rounds_to_trian"));
}

TEST_F(Doctor, FindsDataThatCannotBeRead) {
  AddSite("ann", "/nowhere");
  EXPECT_EQ(Examine(), ExitCode::kFailed);
  EXPECT_EQ(Check("data of ann").at("finding"), "failed");
  EXPECT_THAT(Check("data of ann").at("found"), HasSubstr("/nowhere"));
  EXPECT_EQ(Check("certificate of ann").at("finding"), "ok");
}

TEST_F(Doctor, ExaminesOneSiteIfItIsNamed) {
  AddSite("ann", "/nowhere");
  AddSite("bob", "/nowhere");
  EXPECT_EQ(Examine({"-n", "Bob"}), ExitCode::kFailed);
  EXPECT_EQ(Check("data of ann"), json());
  EXPECT_EQ(Check("data of bob").at("finding"), "failed");
  EXPECT_EQ(Check("port"), json());
  EXPECT_EQ(Examine({"-n", "carol"}), ExitCode::kFailed);
  EXPECT_THAT(Check("data of carol").at("fix"), HasSubstr("fx collaborator create -n carol"));
}

TEST_F(Doctor, FindsASiteWithoutACertificate) {
  AddSite("ann", "/nowhere");
  ASSERT_THAT(RemoveIfExists("cert/client/col_ann.crt"), IsOk());
  EXPECT_NE(Examine({"-n", "ann"}), ExitCode::kDone);
  EXPECT_EQ(Check("certificate of ann").at("finding"), "failed");
}

TEST_F(Doctor, WarnsAMonthBeforeACertificateExpires) {
  CheckList today, soon;
  ExamineAggregatorCertificate(Loaded(), UnixNow(), today);
  EXPECT_EQ(today.checks().at(0).finding, Finding::kGood) << today.Text();
  ExamineAggregatorCertificate(Loaded(), UnixNow() + 340 * kDay, soon);
  EXPECT_EQ(soon.checks().at(0).finding, Finding::kWarning) << soon.Text();
  EXPECT_THAT(soon.Text(), HasSubstr("fx pki renew"));
}

TEST_F(Doctor, WarnsOfAClockThatIsSlow) {
  CheckList right, slow;
  ExamineClock("plan/plan.yaml", UnixNow(), right);
  EXPECT_EQ(right.checks().at(0).finding, Finding::kGood);
  ExamineClock("plan/plan.yaml", UnixNow() - kDay, slow);
  EXPECT_EQ(slow.checks().at(0).finding, Finding::kWarning);
}

TEST_F(Doctor, WarnsOfAnAuthorityWhoseAggregatorHasNoKeyYet) {
  ASSERT_THAT(RemoveIfExists("cert/server/agg_localhost.key"), IsOk());
  ASSERT_THAT(RemoveIfExists("cert/server/agg_localhost.csr"), IsOk());
  EXPECT_EQ(Examine(), ExitCode::kDone);
  EXPECT_EQ(Check("certificate of the aggregator").at("finding"), "warning");
  EXPECT_THAT(Check("certificate of the aggregator").at("fix"),
              HasSubstr("fx aggregator generate-cert-request --fqdn localhost"));
  EXPECT_EQ(Check("role"), json());
}

TEST_F(Doctor, WarnsOfAWorkspaceThatIsNobodysYet) {
  std::filesystem::remove_all("cert");
  EXPECT_EQ(Examine(), ExitCode::kDone);
  EXPECT_EQ(Check("role").at("finding"), "warning");
  EXPECT_THAT(Check("role").at("fix"), HasSubstr("fx collaborator create"));
  ASSERT_EQ(Run({"collaborator", "create", "-n", "ann", "-d", "/nowhere"}), ExitCode::kDone);
  EXPECT_NE(Examine(), ExitCode::kDone);
  EXPECT_EQ(Check("role"), json());
}

TEST_F(Doctor, KnowsAnAggregatorWithoutTlsByItsModel) {
  std::filesystem::remove_all("cert");
  ASSERT_EQ(Run({"plan", "set", "network.settings.use_tls", "false"}), ExitCode::kDone) << err();
  EXPECT_EQ(Examine(), ExitCode::kDone) << out();
  EXPECT_EQ(Check("port").at("finding"), "ok");
  EXPECT_EQ(Check("certificate of the aggregator"), json());
}

TEST_F(Doctor, FindsARevocationListThatIsMissing) {
  AddSite("ann", "/nowhere");
  ASSERT_EQ(Run({"pki", "revoke", "ann"}), ExitCode::kDone) << err();
  Examine();
  EXPECT_EQ(Check("revocation list").at("finding"), "ok") << out();
  ASSERT_THAT(RemoveIfExists(RevocationFile("cert")), IsOk());
  EXPECT_NE(Examine(), ExitCode::kDone);
  EXPECT_EQ(Check("revocation list").at("finding"), "failed");
  EXPECT_THAT(Check("revocation list").at("fix"), HasSubstr("fx pki renew --crl"));
}

TEST_F(Doctor, RefusesOutsideAWorkspace) {
  ASSERT_THAT(RemoveIfExists(".workspace"), IsOk());
  EXPECT_EQ(Examine(), ExitCode::kFailed);
  EXPECT_EQ(Check("workspace").at("finding"), "failed");
}

}  // namespace
}  // namespace fx
