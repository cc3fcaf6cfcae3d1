// The steps of fx collaborator ping before there is an aggregator; tests/e2e/ping.sh has one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/base/format.h"
#include "tests/support/connect_proxy.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using nlohmann::json;
using test::IsOk;
using testing::HasSubstr;

class CollaboratorPing : public test::InitializedTest {
 protected:
  void SetUp() override {
    InitializedTest::SetUp();
    CertifySite("ann");
  }
  void Set(const std::string& key, const std::string& value) {
    ASSERT_EQ(Run({"plan", "set", key, value}), ExitCode::kDone) << err();
  }
  static void Site(const std::string& text) { test::Must(AtomicWrite("site.yaml", text)); }
  ExitCode Ping(const std::string& name = "ann") {
    return Run({"collaborator", "ping", "-n", name, "--json"});
  }
  // The last step that was tried.
  json Last() const { return json::parse(out()).back(); }
};

// A port of this machine on which someone listens, but never answers.
class Mute {
 public:
  Mute() : fd_(socket(AF_INET6, SOCK_STREAM, 0)) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_any;
    socklen_t size = sizeof address;
    bind(fd_, reinterpret_cast<const sockaddr*>(&address), size);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin6_port);
  }
  ~Mute() { close(fd_); }
  Mute(const Mute&) = delete;
  Mute& operator=(const Mute&) = delete;
  void Listen() const { listen(fd_, 4); }
  std::string port() const { return std::to_string(port_); }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

TEST_F(CollaboratorPing, EndsAtTheCertificateThatIsMissing) {
  EXPECT_NE(Ping("bob"), ExitCode::kDone);
  EXPECT_EQ(Last().at("check"), "certificate");
  EXPECT_THAT(Last().at("found"), HasSubstr("col_bob"));
}

TEST_F(CollaboratorPing, EndsAtANameThatDoesNotResolve) {
  Set("network.settings.agg_addr", "nowhere.invalid");
  EXPECT_EQ(Ping(), ExitCode::kUnavailable);
  EXPECT_EQ(Last().at("check"), "name resolution");
  EXPECT_THAT(Last().at("fix"), HasSubstr("/etc/hosts"));
}

TEST_F(CollaboratorPing, EndsAtAPortWhereNobodyListens) {
  const Mute nobody;
  Set("network.settings.agg_port", nobody.port());
  EXPECT_EQ(Ping(), ExitCode::kUnavailable);
  EXPECT_EQ(Last().at("check"), "TCP");
  EXPECT_THAT(Last().at("found"), HasSubstr("connection refused"));
  EXPECT_THAT(Last().at("fix"), HasSubstr("fx aggregator start"));
}

TEST_F(CollaboratorPing, EndsAtTlsWithAServerThatSaysNothing) {
  const Mute mute;
  mute.Listen();
  Set("network.settings.agg_port", mute.port());
  EXPECT_EQ(Ping(), ExitCode::kUnavailable);
  EXPECT_EQ(Last().at("check"), "TLS");
}

TEST_F(CollaboratorPing, EndsAtAPlanThatNamesNoAggregator) {
  Set("network.settings.agg_addr", "auto");
  EXPECT_EQ(Ping(), ExitCode::kFailed);
  EXPECT_EQ(Last().at("check"), "plan");
  EXPECT_THAT(Last().at("fix"), HasSubstr("fx plan initialize"));
}

TEST_F(CollaboratorPing, EndsAtTheProxyAndNamesItAndNotTheAggregator) {
  const test::ConnectProxy proxy(1, {.authorization = "Basic another"});
  Site(format("proxy: http://localhost:{}\n", proxy.port()));
  Set("network.settings.agg_addr", "aggregator.invalid");
  Set("network.settings.agg_port", "443");
  EXPECT_EQ(Ping(), ExitCode::kNotAuthorised);
  EXPECT_EQ(Last().at("check"), "proxy");
  EXPECT_THAT(Last().at("found"), HasSubstr("wants to know who asks (407"));
  EXPECT_THAT(Last().at("fix"), HasSubstr("proxy_password_file in site.yaml"));
  EXPECT_THAT(proxy.targets(), testing::ElementsAre("aggregator.invalid:443"));
}

TEST_F(CollaboratorPing, EndsAtAProxyThatIsNotThere) {
  Site("proxy: http://proxy.invalid:3128\n");
  EXPECT_EQ(Ping(), ExitCode::kUnavailable);
  EXPECT_EQ(Last().at("check"), "proxy");
  EXPECT_THAT(Last().at("found"), HasSubstr("proxy proxy.invalid: this name does not resolve"));
}

TEST_F(CollaboratorPing, EndsAtSettingsThatMakeNoSense) {
  Site("hours: always\n");
  EXPECT_EQ(Ping(), ExitCode::kFailed);
  EXPECT_EQ(Last().at("check"), "site settings");
  EXPECT_THAT(Last().at("found"), HasSubstr("site.yaml:1: hours is wrong"));
}

TEST_F(CollaboratorPing, EndsAtSettingsThatAreNamedButNotThere) {
  EXPECT_NE(Run({"collaborator", "ping", "-n", "ann", "--site", "other.yaml"}), ExitCode::kDone);
  EXPECT_THAT(out(), HasSubstr("other.yaml does not exist"));
}

TEST_F(CollaboratorPing, EndsAtACaBundleThatIsNotThere) {
  Site("ca_bundle: hospital.pem\n");
  EXPECT_NE(Ping(), ExitCode::kDone);
  EXPECT_EQ(Last().at("check"), "certificate");
  EXPECT_THAT(Last().at("found"), HasSubstr("hospital.pem"));
  EXPECT_THAT(Last().at("fix"), HasSubstr("ca_bundle in site.yaml"));
}

TEST_F(CollaboratorPing, ShowsTheStepsInWords) {
  Set("network.settings.agg_addr", "nowhere.invalid");
  EXPECT_EQ(Run({"collaborator", "ping", "-n", "ann"}), ExitCode::kUnavailable);
  EXPECT_THAT(out(), testing::ContainsRegex("ok       plan +plan/plan.yaml"));
  EXPECT_THAT(out(), testing::ContainsRegex("failed   name resolution +nowhere.invalid"));
  EXPECT_THAT(err(), HasSubstr("this site cannot take part now"));
}

}  // namespace
}  // namespace fx
