#include "pki/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "pki/inventory.h"
#include "pki/revocation_list.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/test_pki.h"

namespace fx {
namespace {

using test::IsOk;
using test::Must;
using test::TestPki;
using test::TestValidity;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kDay = 24 * 3600;

auto Problem(const std::string& what, const std::string& advice) {
  return AllOf(Field(&Finding::problem, true), Field(&Finding::what, HasSubstr(what)),
               Field(&Finding::advice, HasSubstr(advice)));
}
auto Warning(const std::string& what, const std::string& advice) {
  return AllOf(Field(&Finding::problem, false), Field(&Finding::what, HasSubstr(what)),
               Field(&Finding::advice, HasSubstr(advice)));
}

class Findings : public testing::Test {
 protected:
  Findings() {
    pki_.AddAggregator("agg.example");
    pki_.AddCollaborator("alice");
  }
  std::vector<Finding> Inspect(std::int64_t now = UnixNow()) const {
    return InspectFolder(pki_.cert_folder(), now);
  }
  Path File(const std::string& name) const { return pki_.cert_folder() / name; }

  TestPki pki_;
};

TEST_F(Findings, AreNoneWhereAllIsWell) {
  EXPECT_THAT(Inspect(), IsEmpty());
  Must(pki_.authority().Revoke({}, {}, UnixNow()));
  EXPECT_THAT(Inspect(), IsEmpty());
}

TEST_F(Findings, WarnAMonthBeforeTheEnd) {
  EXPECT_THAT(Inspect(UnixNow() + 339 * kDay + kDay / 2),
              ElementsAre(Warning("agg_agg.example.crt: the certificate of \"agg.example\"",
                                  "fx pki renew agg.example"),
                          Warning("expires in 25 days", "fx pki renew alice")));
}

TEST_F(Findings, TellOfAnEndThatHasCome) {
  pki_.AddCollaborator("eve", {.validity = TestValidity::kExpired});
  EXPECT_THAT(Inspect(),
              ElementsAre(Problem("col_eve.crt: the certificate of \"eve\"", "fx pki renew eve")));
}

TEST_F(Findings, TellOfARevokedCertificate) {
  const auto leaf = Must(Certificate::Load(File("client/col_alice.crt")));
  Must(pki_.authority().Revoke({leaf.Serial()}, {}, UnixNow()));
  EXPECT_THAT(Inspect(), ElementsAre(Problem("was revoked", "fx pki renew alice")));
}

TEST_F(Findings, OfARevokedCertificateOfSomebodyElseAreNoProblem) {
  const auto leaf = Must(Certificate::Load(File("client/col_alice.crt")));
  Must(pki_.authority().Revoke({leaf.Serial()}, {}, UnixNow()));
  std::filesystem::remove(File("client/col_alice.key"));
  EXPECT_THAT(Inspect(), ElementsAre(Warning("was revoked", "nothing, if that was meant")));
}

TEST_F(Findings, TellOfAKeyThatIsNotTheCertificates) {
  const PrivateKey other = Must(PrivateKey::Generate());
  Must(other.Save(File("client/col_alice.key")));
  EXPECT_THAT(Inspect(), ElementsAre(Problem("do not belong together", "fx pki renew alice")));
}

TEST_F(Findings, TellOfKeysThatOthersCanRead) {
  for (const char* key : {"client/col_alice.key", "ca/root-ca/private/root-ca.key"}) {
    std::filesystem::permissions(File(key), std::filesystem::perms(0644));
  }
  EXPECT_THAT(Inspect(), ElementsAre(Problem("root-ca.key: other users", "chmod 600 "),
                                     Problem("col_alice.key: other users", "chmod 600 ")));
}

TEST_F(Findings, TellOfAnAggregatorsCertificateInACollaboratorsPlace) {
  std::filesystem::copy_file(File("server/agg_agg.example.crt"), File("client/col_bob.crt"));
  EXPECT_THAT(Inspect(), ElementsAre(Problem("not for \"bob\"", "fx pki renew bob")));
}

TEST_F(Findings, TellOfAnotherAuthority) {
  const TestPki other;
  pki_.Trust(other);
  EXPECT_THAT(Inspect(), Contains(Problem("but " + File("cert_chain.crt").string() + " trusts",
                                          "certificates of the same authority")));
}

TEST_F(Findings, TellOfAListThatIsDamagedOrForeign) {
  Must(AtomicWrite(RevocationFile(pki_.cert_folder()), "nonsense"));
  EXPECT_THAT(Inspect(),
              ElementsAre(Problem("signing-ca.crl: not a revocation list", "fx pki renew --crl")));
  const TestPki other;
  const RevocationList foreign = Must(other.authority().Revoke({}, {}, UnixNow()));
  Must(AtomicWrite(RevocationFile(pki_.cert_folder()), foreign.ToPem()));
  EXPECT_THAT(Inspect(), ElementsAre(Problem("was not signed by this federation's authority",
                                             "copy cert/ca/signing-ca.crl anew")));
}

TEST_F(Findings, TellOfAListThatForgetsWhatTheBooksKnow) {
  const auto leaf = Must(Certificate::Load(File("client/col_alice.crt")));
  const RevocationList before = Must(pki_.authority().Revoke({}, {}, UnixNow()));
  Must(pki_.authority().Revoke({leaf.Serial()}, {}, UnixNow()));
  Must(AtomicWrite(RevocationFile(pki_.cert_folder()), before.ToPem()));
  EXPECT_THAT(Inspect(), ElementsAre(Problem("does not name the certificate " + leaf.Serial(),
                                             "fx pki renew --crl")));
}

TEST_F(Findings, WarnOfAListThatIsDue) {
  Must(pki_.authority().Revoke({}, {}, UnixNow() - 364 * kDay));
  EXPECT_THAT(Inspect(), ElementsAre(Warning("the revocation list expires", "--crl")));
  Must(pki_.authority().Revoke({}, {}, UnixNow() - 366 * kDay));
  EXPECT_THAT(Inspect(), ElementsAre(Warning("the revocation list expired", "--crl")));
}

TEST_F(Findings, OfOneFileAreAboutThatFileOnly) {
  pki_.AddCollaborator("eve", {.validity = TestValidity::kExpired});
  EXPECT_THAT(InspectFile(pki_.cert_folder(), File("client/col_alice.crt"), UnixNow()), IsEmpty());
  EXPECT_THAT(InspectFile(pki_.cert_folder(), File("client/col_eve.crt"), UnixNow()),
              ElementsAre(Problem("expired on", "fx pki renew eve")));
}

TEST_F(Findings, BeginWithTheChainIfItIsMissing) {
  Must(RemoveIfExists(File("cert_chain.crt")));
  EXPECT_THAT(Inspect(), Contains(Problem("cert_chain.crt", "fx workspace certify")));
}

std::vector<std::string> States(const std::vector<ListedCertificate>& all) {
  std::vector<std::string> lines;
  for (const ListedCertificate& listed : all) {
    lines.push_back(listed.name + " " + listed.role + " " + std::string(Name(listed.state)));
  }
  return lines;
}

TEST_F(Findings, InventoryListsFilesAndBooks) {
  pki_.AddCollaborator("eve", {.validity = TestValidity::kExpired});
  const auto leaf = Must(Certificate::Load(File("client/col_alice.crt")));
  Must(pki_.authority().Revoke({leaf.Serial()}, {}, UnixNow()));
  Must(RemoveIfExists(File("client/col_alice.crt")));
  EXPECT_THAT(
      States(Must(ListCertificates(pki_.cert_folder(), UnixNow()))),
      ElementsAre("Simple Root CA authority valid", "Simple Signing CA authority valid",
                  "agg.example aggregator valid", "eve collaborator expired", "alice  revoked"));
}

TEST_F(Findings, WarningsCountANameByItsNewestCertificate) {
  pki_.AddCollaborator("eve", {.validity = TestValidity::kExpired});
  EXPECT_THAT(CertificateWarnings(pki_.cert_folder(), {"eve", "alice"}, UnixNow()),
              ElementsAre(HasSubstr("the certificate of eve expired on")));
  EXPECT_THAT(CertificateWarnings(pki_.cert_folder(), {"alice"}, UnixNow()), IsEmpty());
  pki_.AddCollaborator("eve");
  EXPECT_THAT(CertificateWarnings(pki_.cert_folder(), {"eve", "alice"}, UnixNow()), IsEmpty());
}

}  // namespace
}  // namespace fx
