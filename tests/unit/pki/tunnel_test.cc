#include "pki/tunnel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "pki/tls_probe.h"
#include "tests/support/connect_proxy.h"
#include "tests/support/matchers.h"
#include "tests/support/test_pki.h"
#include "tests/unit/pki/tls_server.h"

namespace fx {
namespace {

using test::ConnectProxy;
using test::IsError;
using test::IsOk;
using test::TestPki;
using test::TlsServer;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::chrono::seconds kLong{30};
// A name only the proxy knows.
constexpr const char* kName = "aggregator.invalid";

class Tunnel : public testing::Test {
 protected:
  Tunnel() {
    pki_.AddAggregator(kName);
    pki_.AddCollaborator("ann");
    server_.emplace(pki_.AggregatorBundle(kName));
    hospital_.emplace(server_->port());
  }
  Proxy Settings() const {
    return {.host = "localhost", .port = hospital_->port(), .origin = "site.yaml"};
  }
  Status Probe(const Proxy& proxy) const {
    return ProbeTls(kName, 443, pki_.CollaboratorBundle("ann"), kLong, proxy);
  }
  // What is said about a proxy that answers this.
  std::string Answered(const std::string& answer, const Proxy& proxy) {
    hospital_->SetRules({.answer = answer});
    const Status probed = Probe(proxy);
    return probed ? "nothing" : probed.error().Render();
  }

  TestPki pki_;
  std::optional<TlsServer> server_;
  std::optional<ConnectProxy> hospital_;
};

TEST_F(Tunnel, LeadsToAServerWhoseNameOnlyTheProxyKnows) {
  EXPECT_THAT(Probe(Settings()), IsOk());
  EXPECT_THAT(hospital_->targets(), ElementsAre("aggregator.invalid:443"));
  EXPECT_EQ(hospital_->tunnels(), 1U);
}

TEST_F(Tunnel, SaysWhoItIsToAProxyThatAsks) {
  Proxy proxy = Settings();
  proxy.user = "ann";
  proxy.password = "hush";
  hospital_->SetRules({.authorization = BasicAuthorization(proxy)});
  EXPECT_THAT(Probe(proxy), IsOk());
}

TEST_F(Tunnel, AProxyThatAsksIsNamedWithWhatToDo) {
  hospital_->SetRules({.authorization = "Basic xyz"});
  EXPECT_THAT(Probe(Settings()),
              IsError(ErrorCode::kUnauthenticated,
                      "(from site.yaml) wants to know who asks (407 Proxy Authentication "
                      "Required)\n  hint: give proxy_user and proxy_password_file in site.yaml"));
}

TEST_F(Tunnel, AWrongPasswordIsSaidWithoutShowingIt) {
  Proxy proxy = Settings();
  proxy.user = "ann";
  proxy.password = "hush";
  hospital_->SetRules({.authorization = "Basic xyz"});
  const Status probed = Probe(proxy);
  EXPECT_THAT(probed, IsError(ErrorCode::kUnauthenticated, "does not accept the user ann"));
  EXPECT_THAT(probed.error().Render(), AllOf(Not(HasSubstr("hush")), HasSubstr("locked")));
}

TEST_F(Tunnel, AProxyThatWantsMoreThanAPasswordIsSaidSo) {
  EXPECT_THAT(Answered("HTTP/1.1 407 Who?\r\nProxy-Authenticate: Negotiate\r\n\r\n", Settings()),
              AllOf(HasSubstr("does not take a user and a password (Basic)"), HasSubstr("cntlm")));
}

TEST_F(Tunnel, AProxyThatForbidsSaysWhat) {
  EXPECT_THAT(Answered("HTTP/1.1 403 Forbidden\r\n\r\n<html>", Settings()),
              AllOf(HasSubstr("does not let connections to aggregator.invalid:443 through (403 "
                              "Forbidden)"),
                    HasSubstr("port 443 only")));
}

TEST_F(Tunnel, AProxyThatCannotGoOnSaysWhere) {
  EXPECT_THAT(Answered("HTTP/1.1 503 Service Unavailable\r\n\r\n", Settings()),
              HasSubstr("cannot reach aggregator.invalid:443 (503 Service Unavailable)"));
}

TEST_F(Tunnel, WhatIsNoProxyIsSaidToBeNone) {
  for (const char* answer : {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200\r\n\r\n",
                             "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 20 x\r\n\r\n"}) {
    EXPECT_THAT(Answered(answer, Settings()), HasSubstr("it is not an HTTP proxy")) << answer;
  }
  EXPECT_THAT(Answered("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'), Settings()),
              HasSubstr("it is not an HTTP proxy"));
}

TEST_F(Tunnel, AProxyThatClosesOrIsSilentIsSaidTo) {
  EXPECT_THAT(Answered("HTTP/1.1 2", Settings()), HasSubstr("closed the connection"));
  hospital_->SetRules({.silent = true});
  const auto soon = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  const auto tunnel = OpenTunnel(Settings(), kName, 443, soon);
  ASSERT_FALSE(tunnel);
  EXPECT_THAT(tunnel, IsError(ErrorCode::kUnavailable, "says nothing"));
}

TEST_F(Tunnel, AProxyThatIsNotThereIsNamedAndNotTheAggregator) {
  std::uint16_t port = 0;
  { port = test::Listener().port(); }
  Proxy proxy{.host = "localhost", .port = port, .origin = "site.yaml"};
  const Status refused = Probe(proxy);
  EXPECT_THAT(refused, IsError(ErrorCode::kUnavailable, "proxy localhost:"));
  EXPECT_THAT(refused.error().Render(),
              AllOf(HasSubstr("a proxy is not running there"), Not(HasSubstr("fx aggregator"))));
  proxy.host = "proxy.invalid";
  EXPECT_THAT(Probe(proxy),
              IsError(ErrorCode::kUnavailable, "proxy proxy.invalid: this name does not resolve"));
}

TEST(ProxyAnswer, IsCutWhereItCannotBePrinted) {
  const Proxy proxy{.host = "p", .port = 1};
  const Status judged =
      JudgeProxyAnswer("HTTP/1.1 500 \x1B[31m" + std::string(500, 'x') + "\r\n", proxy, "a:1");
  ASSERT_FALSE(judged);
  EXPECT_THAT(judged.error().message(), AllOf(HasSubstr("500 ?[31mxxx"), Not(HasSubstr("\x1B"))));
  EXPECT_LT(judged.error().message().size(), 200U);
}

}  // namespace
}  // namespace fx
