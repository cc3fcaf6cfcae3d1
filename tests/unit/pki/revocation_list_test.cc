#include "pki/revocation_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pki/inventory.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"
#include "tests/support/test_pki.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::Must;
using test::RunCommand;
using test::TestPki;
using testing::HasSubstr;
using testing::Not;

class Revocation : public testing::Test {
 protected:
  Revocation() {
    pki_.AddCollaborator("alice");
    pki_.AddCollaborator("bob");
  }

  Certificate LeafOf(const std::string& name) const {
    return Must(Certificate::Load(pki_.cert_folder() / ("client/col_" + name + ".crt")));
  }
  RevocationList Revoke(const std::vector<std::string>& serials) const {
    return Must(pki_.authority().Revoke(serials, {}, UnixNow()));
  }
  test::Ran OpenSsl(const std::string& arguments) const {
    return RunCommand("cd " + pki_.cert_folder().string() + " && openssl " + arguments);
  }
  test::Ran VerifyByOpenSsl(const std::string& name) const {
    return OpenSsl(
        "verify -x509_strict -crl_check -CAfile cert_chain.crt -CRLfile ca/signing-ca.crl "
        "client/col_" +
        name + ".crt");
  }

  TestPki pki_;
};

TEST_F(Revocation, IsSeenByOpenSsl) {
  Revoke({LeafOf("alice").Serial()});
  const auto alice = VerifyByOpenSsl("alice");
  EXPECT_NE(alice.exit_code, 0);
  EXPECT_THAT(alice.output, HasSubstr("certificate revoked"));
  EXPECT_EQ(VerifyByOpenSsl("bob").exit_code, 0) << VerifyByOpenSsl("bob").output;
}

TEST_F(Revocation, IsSignedNumberedAndDatedInTheList) {
  Revoke({});
  Revoke({LeafOf("alice").Serial()});
  const auto text = OpenSsl("crl -in ca/signing-ca.crl -noout -text -CAfile cert_chain.crt").output;
  EXPECT_THAT(text, HasSubstr("verify OK"));
  EXPECT_THAT(text, HasSubstr("ecdsa-with-SHA384"));
  EXPECT_THAT(text, HasSubstr("X509v3 Authority Key Identifier"));
  EXPECT_THAT(text, testing::ContainsRegex("X509v3 CRL Number: *\n *2\n"));
  EXPECT_THAT(text, HasSubstr("Serial Number: " + LeafOf("alice").Serial()));
  EXPECT_THAT(text, Not(HasSubstr(LeafOf("bob").Serial())));
}

// What an overdue list names has expired by itself.
TEST_F(Revocation, ListIsDueAgainWhenEveryCertificateIssuedSoFarHasExpired) {
  const RevocationList list = Revoke({LeafOf("alice").Serial()});
  EXPECT_GE(list.validity().to, LeafOf("alice").validity().to);
  EXPECT_GE(list.validity().to, LeafOf("bob").validity().to);
}

TEST_F(Revocation, AddsUpAndNeverGoesBack) {
  const std::int64_t first = Revoke({LeafOf("alice").Serial()}).number();
  const RevocationList list = Revoke({LeafOf("bob").Serial()});
  EXPECT_EQ(list.number(), first + 1);
  EXPECT_TRUE(list.Lists(LeafOf("alice")));
  EXPECT_TRUE(list.Lists(LeafOf("bob")));
  Must(RemoveIfExists(pki_.cert_folder() / "ca/signing-ca/db/signing-ca.crl.srl"));
  EXPECT_EQ(Revoke({}).number(), first + 2);
}

TEST_F(Revocation, KeepsBooksAsOpenSslDoes) {
  Revoke({LeafOf("alice").Serial()});
  ASSERT_THAT(AtomicWrite(pki_.cert_folder() / "ca.cnf",
                          "[x]\ndatabase = ca/signing-ca/db/signing-ca.db\n"
                          "crlnumber = ca/signing-ca/db/signing-ca.crl.srl\n"
                          "default_md = sha384\ncrl_extensions = e\n[e]\n"),
              IsOk());
  const auto made = OpenSsl(
      "ca -config ca.cnf -name x -cert ca/signing-ca.crt -keyfile "
      "ca/signing-ca/private/signing-ca.key -gencrl -crldays 7 -out ca/signing-ca.crl");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  const auto theirs = LoadRevocationList(pki_.cert_folder());
  ASSERT_THAT(theirs, IsOk());
  EXPECT_EQ((*theirs)->number(), 2);
  EXPECT_TRUE((*theirs)->Lists(LeafOf("alice")));
  EXPECT_FALSE((*theirs)->Lists(LeafOf("bob")));
}

TEST_F(Revocation, TakesCertificatesThatAreNotInTheBooks) {
  const Path books = pki_.cert_folder() / "ca/signing-ca/db/signing-ca.db";
  ASSERT_THAT(AtomicWrite(books, ""), IsOk());
  const auto list = pki_.authority().Revoke({}, {LeafOf("alice")}, UnixNow());
  ASSERT_THAT(list, IsOk());
  EXPECT_TRUE(list->Lists(LeafOf("alice")));
  EXPECT_THAT(*ReadFile(books), HasSubstr("\t" + LeafOf("alice").Serial() + "\t"));
}

TEST_F(Revocation, SaysNothingOfAnotherAuthoritysCertificates) {
  TestPki other;
  other.AddCollaborator("alice");
  const RevocationList list = Revoke({LeafOf("alice").Serial()});
  EXPECT_FALSE(list.IsSignedBy(other.authority().signing()));
  EXPECT_THAT(RevocationList::FromPem(list.ToPem(), "x.crl", {other.authority().signing()}),
              IsError(ErrorCode::kUnauthenticated,
                      "x.crl: this revocation list was not signed by this federation's authority"));
}

TEST_F(Revocation, ListWithAChangedByteIsRefused) {
  std::string pem = Revoke({LeafOf("alice").Serial()}).ToPem();
  const std::size_t at = pem.size() / 2;
  pem[at] = pem[at] == 'A' ? 'B' : 'A';
  EXPECT_THAT(RevocationList::FromPem(pem, "x.crl", {pki_.authority().signing()}), Not(IsOk()));
  EXPECT_THAT(RevocationList::FromPem("", "x.crl", {pki_.authority().signing()}),
              IsError(ErrorCode::kDataLoss, "x.crl: not a revocation list in PEM"));
}

TEST_F(Revocation, RefusesBooksThatAreDamaged) {
  ASSERT_THAT(AtomicWrite(pki_.cert_folder() / "ca/signing-ca/db/signing-ca.db",
                          "V\t270115080000Z\t\t0A\tunknown\t/CN=a\nnonsense\n"),
              IsOk());
  EXPECT_THAT(pki_.authority().Revoke({}, {}, UnixNow()),
              IsError(ErrorCode::kDataLoss, "signing-ca.db:2: \"nonsense\" is not a line"));
}

TEST_F(Revocation, RefusesBooksThatDoNotSayWhenSomethingWasRevoked) {
  ASSERT_THAT(AtomicWrite(pki_.cert_folder() / "ca/signing-ca/db/signing-ca.db",
                          "R\t270115080000Z\tlast week\t0A\tunknown\t/CN=a\n"),
              IsOk());
  EXPECT_THAT(pki_.authority().Revoke({}, {}, UnixNow()),
              IsError(ErrorCode::kDataLoss, "signing-ca.db:1: "));
}

// As another program may have issued with this authority's key.
TEST_F(Revocation, BooksStayReadableWhateverACertificateIsCalled) {
  const std::string with_tab = "\"/CN=a\tb\"";
  ASSERT_EQ(
      OpenSsl("req -new -newkey rsa:2048 -nodes -keyout k -out r -subj " + with_tab).exit_code, 0);
  ASSERT_EQ(OpenSsl("x509 -req -in r -CA ca/signing-ca.crt -CAkey "
                    "ca/signing-ca/private/signing-ca.key -set_serial -5 -out odd.crt")
                .exit_code,
            0);
  const Certificate odd = Must(Certificate::Load(pki_.cert_folder() / "odd.crt"));
  const auto list = pki_.authority().Revoke({}, {odd}, UnixNow());
  ASSERT_THAT(list, IsOk());
  EXPECT_TRUE(list->Lists(odd));
  EXPECT_TRUE(Revoke({LeafOf("alice").Serial()}).Lists(odd));
}

TEST(RevocationByRsa, IsSignedWithSha384) {
  const TestPki pki(KeyKind::kRsa3072);
  Must(pki.authority().Revoke({}, {}, UnixNow()));
  const auto text =
      RunCommand("openssl crl -noout -text -in " + RevocationFile(pki.cert_folder()).string());
  EXPECT_THAT(text.output, HasSubstr("sha384WithRSAEncryption"));
}

}  // namespace
}  // namespace fx
