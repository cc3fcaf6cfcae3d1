#include "pki/tls_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "tests/support/test_pki.h"
#include "tests/unit/pki/tls_server.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::Listener;
using test::PlainServer;
using test::TestPki;
using test::TestValidity;
using test::TlsServer;
using testing::AllOf;
using testing::HasSubstr;

// Long enough for a machine under load; nothing that works waits for it.
constexpr std::chrono::seconds kLong{30};
constexpr std::chrono::milliseconds kShort{50};

std::string At(std::uint16_t port) {
  return "localhost:" + std::to_string(port) + ": ";
}

class TlsProbe : public testing::Test {
 protected:
  TlsProbe() {
    pki_.AddAggregator("localhost");
    pki_.AddCollaborator("alice");
  }
  Status Probe(std::uint16_t port) const {
    return ProbeTls("localhost", port, pki_.CollaboratorBundle("alice"), kLong);
  }
  // A server with a certificate of its own making.
  Status ProbeServerWith(const test::LeafOptions& options) {
    pki_.AddAggregator("localhost", options);
    const TlsServer server(pki_.AggregatorBundle("localhost"));
    return Probe(server.port());
  }
  // A client with a certificate of its own making.
  Status ProbeAsClientWith(const test::LeafOptions& options) {
    pki_.AddCollaborator("alice", options);
    const TlsServer server(pki_.AggregatorBundle("localhost"));
    return Probe(server.port());
  }

  TestPki pki_;
};

TEST_F(TlsProbe, IsContentWithAServerThatSpeaks) {
  const TlsServer server(pki_.AggregatorBundle("localhost"));
  EXPECT_THAT(Probe(server.port()), IsOk());
}

TEST_F(TlsProbe, IsContentWithTls12AndRsaAsWell) {
  pki_.AddAggregator("localhost", {.key = KeyKind::kRsa3072});
  const TlsServer server(pki_.AggregatorBundle("localhost"), {.newest_protocol = TLS1_2_VERSION});
  EXPECT_THAT(Probe(server.port()), IsOk());
}

TEST_F(TlsProbe, AcceptsAnAddressInPlaceOfAName) {
  pki_.AddAggregator("127.0.0.1");
  const TlsServer server(pki_.AggregatorBundle("127.0.0.1"));
  EXPECT_THAT(ProbeTls("127.0.0.1", server.port(), pki_.CollaboratorBundle("alice"), kLong),
              IsOk());
}

// A label of more than 63 letters is refused before any name server is asked.
TEST_F(TlsProbe, SaysThatANameDoesNotResolve) {
  const std::string name = std::string(64, 'x') + ".example";
  EXPECT_THAT(ProbeTls(name, 1, pki_.CollaboratorBundle("alice"), kLong),
              IsError(ErrorCode::kUnavailable, "this name does not resolve to an address"));
}

TEST_F(TlsProbe, SaysThatNobodyListensYet) {
  std::uint16_t port = 0;
  {
    const Listener gone;
    port = gone.port();
  }
  EXPECT_THAT(Probe(port), IsError(ErrorCode::kUnavailable,
                                   At(port) + "connection refused: the machine answers, but the "
                                              "aggregator is not running there yet"));
}

TEST_F(TlsProbe, SaysThatAServerIsSilent) {
  const Listener silent;
  EXPECT_THAT(ProbeTls("localhost", silent.port(), pki_.CollaboratorBundle("alice"), kShort),
              IsError(ErrorCode::kUnavailable, "accepts connections there but says nothing"));
}

TEST_F(TlsProbe, SaysThatAServerDoesNotSpeakTls) {
  const PlainServer server;
  EXPECT_THAT(Probe(server.port()),
              IsError(ErrorCode::kUnavailable, "what answers there does not speak TLS"));
}

TEST_F(TlsProbe, SaysThatAServerDoesNotSpeakHttp2) {
  const TlsServer server(pki_.AggregatorBundle("localhost"), {.http2 = false});
  EXPECT_THAT(Probe(server.port()), IsError(ErrorCode::kUnavailable, "not HTTP/2"));
}

TEST_F(TlsProbe, SaysSinceWhenTheServersCertificateIsExpired) {
  EXPECT_THAT(ProbeServerWith({.validity = TestValidity::kExpired}),
              IsError(ErrorCode::kUnauthenticated,
                      "expired on " + UtcText(UnixNow() - 24 * 3600).substr(0, 10)));
}

TEST_F(TlsProbe, SaysThatTheServersCertificateIsNotYetValid) {
  EXPECT_THAT(ProbeServerWith({.validity = TestValidity::kNotYet}),
              IsError(ErrorCode::kUnauthenticated, "is not valid before"));
}

TEST_F(TlsProbe, ListsTheNamesTheServersCertificateIsFor) {
  EXPECT_THAT(ProbeServerWith({.other_name = "agg.example"}),
              IsError(ErrorCode::kUnauthenticated,
                      "the aggregator's certificate is for agg.example, not for \"localhost\""));
}

TEST_F(TlsProbe, NamesBothAuthoritiesWhenTheServersIsAnother) {
  TestPki other;
  other.AddAggregator("localhost");
  const TlsServer server(other.AggregatorBundle("localhost"));
  const Status probed = Probe(server.port());
  ASSERT_THAT(probed, IsError(ErrorCode::kUnauthenticated, At(server.port())));
  EXPECT_THAT(probed.error().Render(),
              AllOf(HasSubstr("was signed by " + other.authority().signing().Describe()),
                    HasSubstr("trusts " + pki_.authority().signing().Describe())));
}

TEST_F(TlsProbe, SaysThatACollaboratorStandsInForAnAggregator) {
  pki_.AddCollaborator("localhost");
  const TlsServer server(pki_.CollaboratorBundle("localhost"));
  EXPECT_THAT(Probe(server.port()),
              IsError(ErrorCode::kUnauthenticated, "issued for another purpose"));
}

TEST_F(TlsProbe, SaysThatTheServerRefusesOurExpiredCertificate) {
  EXPECT_THAT(
      ProbeAsClientWith({.validity = TestValidity::kExpired}),
      IsError(ErrorCode::kUnauthenticated, "the aggregator refuses our certificate as expired"));
}

TEST_F(TlsProbe, SaysThatTheServerTrustsAnotherAuthority) {
  TestPki other;
  PemBundle server_pem = pki_.AggregatorBundle("localhost");
  server_pem.authorities = other.authority().ChainPem();
  const TlsServer server(server_pem);
  EXPECT_THAT(Probe(server.port()),
              IsError(ErrorCode::kUnauthenticated,
                      "the aggregator refuses our certificate: it was signed by " +
                          pki_.authority().signing().Describe()));
}

TEST_F(TlsProbe, SaysThatTheServerRefusesACertificateOfAnotherKind) {
  PemBundle ours = pki_.AggregatorBundle("localhost");
  const TlsServer server(pki_.AggregatorBundle("localhost"));
  EXPECT_THAT(ProbeTls("localhost", server.port(), ours, kLong),
              IsError(ErrorCode::kUnauthenticated, "the aggregator refuses our certificate of"));
}

}  // namespace
}  // namespace fx
