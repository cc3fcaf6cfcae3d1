// A site that reaches the aggregator only through its hospital's HTTP proxy, and one whose
// certificates are of its own organisation's authorities.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "tests/integration/federation.h"
#include "tests/support/connect_proxy.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

// A name and a port that only the proxy can do something with.
constexpr const char* kPublicName = "aggregator.invalid";
constexpr std::uint16_t kPublicPort = 443;
constexpr std::int64_t kOutputs = 40'000;  // a model of 800 kB

// The model a federation with one site ends with, however the site gets there.
std::string UndisturbedModel() {
  const TestFederation federation({"ann"}, kOutputs);
  {
    RunningAggregator aggregator(federation.Options());
    Must(Collaborate(federation, "ann", aggregator.port(), [] {}));
    Must(aggregator.Wait());
  }
  return Must(ReadFile(federation.LastModel()));
}

class BehindAProxy : public testing::Test {
 protected:
  BehindAProxy() : federation_({"ann"}, kOutputs) {
    federation_.plan.network.agg_addr = kPublicName;
    federation_.pki.AddAggregator(kPublicName);
    auto options = federation_.Options();
    options.credentials = federation_.pki.AggregatorBundle(kPublicName);
    aggregator_.emplace(std::move(options));
    hospital_.emplace(aggregator_->port());
    settings_ = {.host = "127.0.0.1", .port = hospital_->port(), .origin = "site.yaml"};
  }

  Status Collaborate() {
    return test::Collaborate(federation_,
                             {.name = "ann",
                              .port = kPublicPort,
                              .times = {},
                              .before = {},
                              .after = {},
                              .adjust = [this](auto& options) { options.proxy = settings_; }});
  }
  // To the end, with the model that others get to.
  void Run() {
    ASSERT_THAT(Collaborate(), IsOk());
    ASSERT_THAT(aggregator_->Wait(), IsOk());
    EXPECT_EQ(Must(ReadFile(federation_.LastModel())), UndisturbedModel());
    EXPECT_THAT(hospital_->targets(), Each("aggregator.invalid:443"));
  }

  TestFederation federation_;
  std::optional<RunningAggregator> aggregator_;
  std::optional<ConnectProxy> hospital_;
  Proxy settings_;
};

TEST_F(BehindAProxy, ASiteTakesPartUnderANameAndAPortThatOnlyTheProxyKnows) {
  Run();
  EXPECT_EQ(hospital_->tunnels(), 1U);
  EXPECT_GT(hospital_->bytes(), 2U * 800'000);  // the models went through it
}

TEST_F(BehindAProxy, ASiteTellsItsUserAndPasswordToOneThatAsks) {
  settings_.user = "HOSPITAL\\ann";
  settings_.password = "p@ss: w\xC3\xB6rd";
  hospital_->SetRules({.authorization = BasicAuthorization(settings_)});
  Run();
  EXPECT_EQ(hospital_->tunnels(), 1U);
}

TEST_F(BehindAProxy, ATransferThatTheProxyClosesGoesOnInTheNextTunnel) {
  hospital_->SetRules({.close_after = 400'000});
  Run();
  EXPECT_EQ(hospital_->closings(), 1U);
  EXPECT_GE(hospital_->tunnels(), 2U);  // and perhaps one to ask why
}

TEST_F(BehindAProxy, ASiteWaitsForAProxyThatCannotReachTheAggregatorYet) {
  hospital_->SetRules({.answer = "HTTP/1.1 503 Service Unavailable\r\n\r\n"});
  const std::jthread administrator([this] {
    hospital_->WaitForRequests(3);
    hospital_->SetRules({});
  });
  Run();
}

// An account that fails to log on again and again is locked.
TEST_F(BehindAProxy, AWrongPasswordEndsTheSiteAtOnceWithoutTryingAgain) {
  settings_.user = "ann";
  settings_.password = "wrong-one";
  hospital_->SetRules({.authorization = "Basic another"});
  const Status ended = Collaborate();
  EXPECT_THAT(ended, IsError(ErrorCode::kUnauthenticated, "does not accept the user ann"));
  EXPECT_THAT(ended.error().Render(), AllOf(HasSubstr("site.yaml"), Not(HasSubstr("wrong-one"))));
  EXPECT_LE(hospital_->targets().size(), 2U);  // the call, and the question why it failed
  EXPECT_EQ(hospital_->tunnels(), 0U);
}

TEST_F(BehindAProxy, AStrangersCertificateIsToldFromAProxysTrouble) {
  federation_.plan.network.agg_addr = "someone.else.invalid";
  EXPECT_THAT(Collaborate(), IsError(ErrorCode::kUnauthenticated,
                                     "the aggregator's certificate is for aggregator.invalid"));
}

// Two organisations, each with a PKI of its own: the site's trust in the aggregator comes from a
// bundle, and its own certificate from elsewhere.
TEST(OwnAuthorities, ABundleOfSeveralLetsTwoOrganisationsMeet) {
  const TestFederation federation({"ann"});
  TestPki hospital;
  const TestPki unrelated;
  hospital.AddCollaborator("ann");
  const auto chain_of = [](const TestPki& pki) {
    return Must(ReadFile(pki.cert_folder() / "cert_chain.crt"));
  };
  auto options = federation.Options();
  options.credentials.authorities += chain_of(hospital);
  RunningAggregator aggregator(std::move(options));

  const TempDir folder;
  const Path bundle = folder.path() / "authorities.pem";
  Site site{.name = "ann", .port = aggregator.port(), .times = {}, .before = {}, .after = {}};
  site.credentials = [&] {
    return Must(LoadCollaboratorCredentials(hospital.cert_folder(), {"ann"}, bundle));
  };
  Must(AtomicWrite(bundle, chain_of(unrelated)));
  EXPECT_THAT(Collaborate(federation, site),
              IsError(ErrorCode::kUnauthenticated, "authorities.pem trusts"));
  Must(AtomicWrite(bundle, chain_of(unrelated) + chain_of(federation.pki)));
  EXPECT_THAT(Collaborate(federation, site), IsOk());
}

}  // namespace
}  // namespace fx::test
