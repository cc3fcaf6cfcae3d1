#include "pki/certificate_authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "tests/support/matchers.h"
#include "tests/support/run_command.h"
#include "tests/support/test_pki.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::RunCommand;
using test::TestPki;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

unsigned ModeOf(const Path& path) {
  return static_cast<unsigned>(std::filesystem::status(path).permissions());
}

// `openssl ...` run in the certificate folder.
test::Ran OpenSsl(const TestPki& pki, const std::string& arguments) {
  return RunCommand("cd " + pki.cert_folder().string() + " && openssl " + arguments);
}

TEST(CertificateAuthority, MakesOpenFlsFolders) {
  const TestPki pki;
  for (const char* file : {"cert_chain.crt", "ca/root-ca.crt", "ca/signing-ca.csr",
                           "ca/signing-ca.crt", "ca/root-ca/db/root-ca.db",
                           "ca/root-ca/db/root-ca.db.attr", "ca/root-ca/db/root-ca.crt.srl",
                           "ca/root-ca/db/root-ca.crl.srl", "ca/signing-ca/db/signing-ca.db"}) {
    EXPECT_TRUE(Exists(pki.cert_folder() / file)) << file;
  }
  for (const char* name : {"root-ca", "signing-ca"}) {
    const Path folder = pki.cert_folder() / "ca" / name / "private";
    EXPECT_EQ(ModeOf(folder), 0700U);
    EXPECT_EQ(ModeOf(folder / (std::string(name) + ".key")), 0600U);
  }
  EXPECT_FALSE(Exists(pki.cert_folder() / "ca.partial"));
}

TEST(CertificateAuthority, IsWhatOpenSslCallsAnAuthority) {
  const TestPki pki;
  const auto root = OpenSsl(pki, "x509 -in ca/root-ca.crt -noout -text");
  EXPECT_THAT(root.output,
              AllOf(HasSubstr("CA:TRUE, pathlen:1"), HasSubstr("Certificate Sign, CRL Sign"),
                    HasSubstr("Subject Key Identifier"), HasSubstr("(384 bit)"),
                    HasSubstr("ecdsa-with-SHA384")));
  const auto signing = OpenSsl(pki, "x509 -in ca/signing-ca.crt -noout -text");
  EXPECT_THAT(signing.output,
              AllOf(HasSubstr("CA:TRUE, pathlen:0"), HasSubstr("Authority Key Identifier"),
                    HasSubstr("Subject: DC = org, DC = simple, CN = Simple Signing CA, O = Simple "
                              "Inc, OU = Simple Signing CA")));
  EXPECT_EQ(OpenSsl(pki, "verify -x509_strict -CAfile ca/root-ca.crt ca/signing-ca.crt").exit_code,
            0);
  EXPECT_EQ(OpenSsl(pki, "req -in ca/signing-ca.csr -noout -verify").exit_code, 0);
}

TEST(CertificateAuthority, IssuesCertificatesThatOpenSslAccepts) {
  TestPki pki;
  pki.AddAggregator("agg.example");
  pki.AddCollaborator("alice");
  pki.AddCollaborator("bob", {.key = KeyKind::kRsa3072});
  const auto verify = [&](const std::string& purpose, const std::string& file) {
    return OpenSsl(pki,
                   "verify -x509_strict -purpose " + purpose + " -CAfile cert_chain.crt " + file);
  };
  EXPECT_EQ(
      verify("sslserver -verify_hostname agg.example", "server/agg_agg.example.crt").exit_code, 0);
  EXPECT_EQ(verify("sslclient", "client/col_alice.crt").exit_code, 0);
  EXPECT_EQ(verify("sslclient", "client/col_bob.crt").exit_code, 0);
  EXPECT_NE(verify("sslclient", "server/agg_agg.example.crt").exit_code, 0);
  EXPECT_NE(verify("sslserver", "client/col_alice.crt").exit_code, 0);
}

TEST(CertificateAuthority, IssuesLeavesWithTheExtensionsOfTheirRole) {
  TestPki pki;
  pki.AddAggregator("10.0.0.1");
  pki.AddCollaborator("bob", {.key = KeyKind::kRsa3072});
  const auto server = OpenSsl(pki, "x509 -in server/agg_10.0.0.1.crt -noout -text").output;
  EXPECT_THAT(server,
              AllOf(HasSubstr("CA:FALSE"), HasSubstr("TLS Web Server Authentication"),
                    HasSubstr("DNS:10.0.0.1, IP Address:10.0.0.1"),
                    HasSubstr("Subject Key Identifier"), HasSubstr("Authority Key Identifier"),
                    HasSubstr("Digital Signature"), Not(HasSubstr("Key Encipherment"))));
  const auto client = OpenSsl(pki, "x509 -in client/col_bob.crt -noout -text").output;
  EXPECT_THAT(client, AllOf(HasSubstr("TLS Web Client Authentication"), HasSubstr("DNS:bob"),
                            HasSubstr("Digital Signature, Key Encipherment"),
                            HasSubstr("Subject: CN = bob")));
}

TEST(CertificateAuthority, IssuesForAYearFromALittleEarlier) {
  TestPki pki;
  pki.AddCollaborator("alice");
  const auto leaf = Certificate::Load(pki.cert_folder() / "client/col_alice.crt");
  ASSERT_THAT(leaf, IsOk());
  EXPECT_LE(leaf->validity().from, UnixNow() - 1800);
  EXPECT_NEAR(static_cast<double>(leaf->validity().to),
              static_cast<double>(UnixNow() + 365 * 24 * 3600), 600.0);
  EXPECT_GT(pki.authority().signing().validity().to, leaf->validity().to);
  EXPECT_GT(pki.authority().root().validity().to, pki.authority().signing().validity().to);
}

TEST(CertificateAuthority, NeverIssuesBeyondItsOwnEnd) {
  TestPki pki;
  const auto key = PrivateKey::Generate();
  const auto identity = Identity::Collaborator("alice");
  const auto request = SigningRequest::Create(*key, *identity);
  const auto leaf = pki.authority().Sign(*request, "test", *identity,
                                         {.from = UnixNow(), .to = UnixNow() + 1'000'000'000});
  ASSERT_THAT(leaf, IsOk());
  EXPECT_EQ(leaf->validity().to, pki.authority().signing().validity().to);
}

TEST(CertificateAuthority, DrawsLongSerialNumbersAndRecordsThemForOpenSsl) {
  TestPki pki;
  pki.AddCollaborator("alice");
  pki.AddCollaborator("alice");
  pki.AddAggregator("agg.example");
  const auto list =
      RunCommand("cut -f1,4,6 " + (pki.cert_folder() / "ca/signing-ca/db/signing-ca.db").string());
  std::set<std::string> serials;
  std::istringstream lines(list.output);
  for (std::string status, serial, subject; lines >> status >> serial >> subject;) {
    EXPECT_EQ(status, "V");
    EXPECT_EQ(serial.size(), 40U) << serial;
    serials.insert(serial);
  }
  EXPECT_EQ(serials.size(), 3U);
  const auto serial = OpenSsl(pki, "x509 -in server/agg_agg.example.crt -noout -serial").output;
  EXPECT_TRUE(serials.contains(serial.substr(7, 40))) << serial;
}

TEST(CertificateAuthority, KeepsBooksThatOpenSslCanRevokeFrom) {
  TestPki pki;
  pki.AddCollaborator("alice");
  const std::string ca =
      "ca -config ca.cnf -name x -cert ca/signing-ca.crt "
      "-keyfile ca/signing-ca/private/signing-ca.key ";
  ASSERT_THAT(AtomicWrite(pki.cert_folder() / "ca.cnf",
                          "[x]\ndatabase = ca/signing-ca/db/signing-ca.db\n"
                          "default_md = sha384\ncrl_extensions = e\n[e]\n"),
              IsOk());
  const auto revoked = OpenSsl(pki, ca + "-revoke client/col_alice.crt");
  EXPECT_EQ(revoked.exit_code, 0) << revoked.output;
  const auto serial = OpenSsl(pki, "x509 -in client/col_alice.crt -noout -serial").output;
  EXPECT_EQ(OpenSsl(pki, ca + "-gencrl -crldays 7 -out list.crl").exit_code, 0);
  EXPECT_THAT(OpenSsl(pki, "crl -in list.crl -noout -text").output,
              HasSubstr("Serial Number: " + serial.substr(7, 40)));
}

TEST(CertificateAuthority, KeepsTheAuthorityThatIsThere) {
  const TempDir dir;
  std::string before;
  {
    const auto first = CertificateAuthority::Create(dir.path());
    ASSERT_THAT(first, IsOk());
    before = first->ChainPem();
  }
  EXPECT_THAT(CertificateAuthority::Create(dir.path()),
              IsError(ErrorCode::kAlreadyExists, "this workspace has an authority"));
  const auto opened = CertificateAuthority::Open(dir.path());
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(opened->ChainPem(), before);
}

TEST(CertificateAuthority, SweepsWhatAnInterruptedCreationLeft) {
  const TempDir dir;
  ASSERT_THAT(MakeFolders(dir.path() / "ca.partial/root-ca"), IsOk());
  ASSERT_THAT(CertificateAuthority::Create(dir.path()), IsOk());
  EXPECT_FALSE(Exists(dir.path() / "ca.partial"));
}

TEST(CertificateAuthority, WritesAMissingChainFileAgain) {
  const TempDir dir;
  ASSERT_THAT(CertificateAuthority::Create(dir.path()), IsOk());
  std::filesystem::remove(dir.path() / "cert_chain.crt");
  const auto opened = CertificateAuthority::Open(dir.path());
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ(ReadFile(dir.path() / "cert_chain.crt"), opened->ChainPem());
}

TEST(CertificateAuthority, RefusesAChainFileOfAnotherAuthority) {
  const TestPki other;
  const TempDir dir;
  ASSERT_THAT(CertificateAuthority::Create(dir.path()), IsOk());
  ASSERT_THAT(AtomicWrite(dir.path() / "cert_chain.crt", other.authority().ChainPem()), IsOk());
  EXPECT_THAT(CertificateAuthority::Open(dir.path()),
              IsError(ErrorCode::kFailedPrecondition, "cert_chain.crt: is of \"Simple Root CA\""));
}

TEST(CertificateAuthority, RefusesAKeyThatIsNotItsOwn) {
  const TempDir dir;
  ASSERT_THAT(CertificateAuthority::Create(dir.path()), IsOk());
  const auto other = PrivateKey::Generate();
  ASSERT_THAT(other->Save(dir.path() / "ca/signing-ca/private/signing-ca.key"), IsOk());
  EXPECT_THAT(CertificateAuthority::Open(dir.path()),
              IsError(ErrorCode::kFailedPrecondition, "signing-ca.key: not the key of"));
}

TEST(CertificateAuthority, SignsWithoutTheRootsKey) {
  const TempDir dir;
  ASSERT_THAT(CertificateAuthority::Create(dir.path()), IsOk());
  std::filesystem::remove(dir.path() / "ca/root-ca/private/root-ca.key");
  EXPECT_THAT(CertificateAuthority::Open(dir.path()), IsOk());
}

TEST(CertificateAuthority, LetsOnePersonSignAtATime) {
  const TestPki pki;
  EXPECT_THAT(CertificateAuthority::Open(pki.cert_folder()),
              IsError(ErrorCode::kFailedPrecondition, "another process holds it"));
}

TEST(CertificateAuthority, SaysHowToMakeOneWhereThereIsNone) {
  const TempDir dir;
  EXPECT_THAT(CertificateAuthority::Open(dir.path()),
              IsError(ErrorCode::kNotFound, "fx workspace certify"));
}

TEST(CertificateAuthority, TakesNothingButTheKeyFromARequest) {
  const TestPki pki;
  const Path file = pki.cert_folder() / "r.csr";
  ASSERT_EQ(
      RunCommand("openssl req -new -newkey rsa:2048 -nodes -keyout /dev/null -subj "
                 "/O=Ministry/CN=alice/emailAddress=a@b -addext basicConstraints=CA:TRUE -out " +
                 file.string())
          .exit_code,
      0);
  const auto request = SigningRequest::Load(file);
  ASSERT_THAT(request, IsOk());
  const auto alice = Identity::Collaborator("alice");
  const auto leaf = pki.authority().Sign(*request, "r.csr", *alice, LeafValidity(UnixNow()));
  ASSERT_THAT(leaf, IsOk());
  ASSERT_THAT(AtomicWrite(file, leaf->ToPem()), IsOk());
  EXPECT_EQ(RunCommand("openssl x509 -noout -subject -in " + file.string()).output,
            "subject=CN = alice\n");
  EXPECT_EQ(X509_check_ca(leaf->get()), 0);
}

TEST(CertificateAuthority, RefusesToSignForAnotherName) {
  const TestPki pki;
  const auto key = PrivateKey::Generate();
  const auto bob = Identity::Collaborator("bob");
  const auto alice = Identity::Collaborator("alice");
  const auto request = SigningRequest::Create(*key, *bob);
  EXPECT_THAT(pki.authority().Sign(*request, "col_alice.csr", *alice, LeafValidity(UnixNow())),
              IsError(ErrorCode::kPermissionDenied,
                      "col_alice.csr: asks for a certificate for \"bob\", expected \"alice\""));
}

}  // namespace
}  // namespace fx
