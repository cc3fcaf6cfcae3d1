#include "pki/cert_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/matchers.h"
#include "tests/support/run_command.h"
#include "tests/support/test_pki.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::RunCommand;
using test::TestPki;
using test::TestValidity;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const CollaboratorName kAlice{.value = "alice"};

std::string Refusal(const Result<PemBundle>& result) {
  return result ? "not refused" : result.error().Render();
}

TEST(CertStore, LoadsWhatTlsNeeds) {
  TestPki pki;
  pki.AddAggregator("agg.example");
  pki.AddCollaborator("alice");

  const auto aggregator = LoadAggregatorCredentials(pki.cert_folder(), "agg.example");
  ASSERT_THAT(aggregator, IsOk());
  EXPECT_THAT(aggregator->certificate, StartsWith("-----BEGIN CERTIFICATE-----"));
  EXPECT_THAT(aggregator->private_key, StartsWith("-----BEGIN PRIVATE KEY-----"));
  EXPECT_EQ(aggregator->authorities, pki.authority().ChainPem());
  EXPECT_TRUE(aggregator->ecdsa);
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice), IsOk());
}

TEST(CertStore, FindsFilesWhateverTheCaseOfTheName) {
  TestPki pki;
  pki.AddAggregator("agg.example");
  EXPECT_THAT(LoadAggregatorCredentials(pki.cert_folder(), "AGG.Example"), IsOk());
}

TEST(CertStore, AcceptsAnAggregatorKnownByItsAddress) {
  TestPki pki;
  pki.AddAggregator("10.1.2.3");
  pki.AddAggregator("fd00::1");
  EXPECT_THAT(LoadAggregatorCredentials(pki.cert_folder(), "10.1.2.3"), IsOk());
  EXPECT_THAT(LoadAggregatorCredentials(pki.cert_folder(), "fd00::1"), IsOk());
}

TEST(CertStore, SaysThatRsaIsNotEcdsa) {
  TestPki pki;
  pki.AddCollaborator("alice", {.key = KeyKind::kRsa3072});
  const auto bundle = LoadCollaboratorCredentials(pki.cert_folder(), kAlice);
  ASSERT_THAT(bundle, IsOk());
  EXPECT_FALSE(bundle->ecdsa);
}

TEST(CertStore, NamesTheCommandThatMakesAMissingFile) {
  TestPki pki;
  EXPECT_THAT(
      LoadAggregatorCredentials(pki.cert_folder(), "agg.example"),
      IsError(ErrorCode::kNotFound, "fx aggregator generate-cert-request --fqdn agg.example"));
  pki.AddAggregator("agg.example");
  std::filesystem::remove(pki.cert_folder() / "server/agg_agg.example.crt");
  EXPECT_THAT(LoadAggregatorCredentials(pki.cert_folder(), "agg.example"),
              IsError(ErrorCode::kNotFound, "fx aggregator certify --fqdn agg.example"));

  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
              IsError(ErrorCode::kNotFound, "fx collaborator generate-cert-request -n alice"));
  pki.AddCollaborator("alice");
  std::filesystem::remove(pki.cert_folder() / "client/col_alice.crt");
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
              IsError(ErrorCode::kNotFound,
                      "fx collaborator certify --import agg_to_col_alice_signed_cert.zip"));
  std::filesystem::remove(pki.cert_folder() / "cert_chain.crt");
  EXPECT_THAT(LoadAggregatorCredentials(pki.cert_folder(), "agg.example"),
              IsError(ErrorCode::kNotFound, "fx workspace certify"));
}

TEST(CertStore, RefusesAKeyThatOthersCanRead) {
  TestPki pki;
  pki.AddCollaborator("alice");
  const Path key = pki.cert_folder() / "client/col_alice.key";
  for (const unsigned mode : {0640U, 0604U, 0660U, 0644U}) {
    std::filesystem::permissions(key, std::filesystem::perms(mode));
    EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
                IsError(ErrorCode::kPermissionDenied, "hint: chmod 600 " + key.string()));
  }
  std::filesystem::permissions(key, std::filesystem::perms(0400));
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice), IsOk());
}

TEST(CertStore, RefusesAKeyFileWithoutAKey) {
  TestPki pki;
  pki.AddCollaborator("alice");
  const Path key = pki.cert_folder() / "client/col_alice.key";
  ASSERT_THAT(AtomicWrite(key, "hello", FileMode::kPrivate), IsOk());
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
              IsError(ErrorCode::kInvalidArgument, "not a private key in PEM"));
}

TEST(CertStore, RefusesAKeyThatBelongsToAnotherCertificate) {
  TestPki pki;
  pki.AddCollaborator("alice");
  pki.AddCollaborator("bob");
  std::filesystem::copy_file(pki.cert_folder() / "client/col_bob.key",
                             pki.cert_folder() / "client/col_alice.key",
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
              IsError(ErrorCode::kUnauthenticated, "do not belong together"));
}

TEST(CertStore, RefusesAnExpiredCertificateSayingSinceWhen) {
  TestPki pki;
  pki.AddCollaborator("alice", {.validity = TestValidity::kExpired});
  const std::string day = UtcText(UnixNow() - 24 * 3600).substr(0, 10);
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
              IsError(ErrorCode::kUnauthenticated, "the certificate of \"alice\" (key "));
  EXPECT_THAT(Refusal(LoadCollaboratorCredentials(pki.cert_folder(), kAlice)),
              AllOf(HasSubstr("expired on " + day), HasSubstr("fx collaborator certify")));
}

TEST(CertStore, RefusesACertificateFromTheFuture) {
  TestPki pki;
  pki.AddAggregator("agg.example", {.validity = TestValidity::kNotYet});
  EXPECT_THAT(
      Refusal(LoadAggregatorCredentials(pki.cert_folder(), "agg.example")),
      AllOf(HasSubstr("is not valid before " + UtcText(UnixNow() + 24 * 3600).substr(0, 10)),
            HasSubstr("check this machine's clock")));
}

TEST(CertStore, RefusesACertificateForAnotherName) {
  TestPki pki;
  pki.AddAggregator("agg.example", {.other_name = "other.example"});
  pki.AddCollaborator("alice", {.other_name = "bob"});
  EXPECT_THAT(LoadAggregatorCredentials(pki.cert_folder(), "agg.example"),
              IsError(ErrorCode::kUnauthenticated,
                      "the certificate is for other.example, not for \"agg.example\""));
  EXPECT_THAT(
      LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
      IsError(ErrorCode::kUnauthenticated, "the certificate is for bob, not for \"alice\""));
}

TEST(CertStore, RefusesACertificateOfAnotherAuthorityNamingBoth) {
  TestPki pki;
  TestPki other;
  pki.AddCollaborator("alice");
  pki.Trust(other);
  EXPECT_THAT(Refusal(LoadCollaboratorCredentials(pki.cert_folder(), kAlice)),
              AllOf(HasSubstr("was signed by " + pki.authority().signing().Describe()),
                    HasSubstr("trusts " + other.authority().signing().Describe())));
}

TEST(CertStore, RefusesACollaboratorsCertificateInPlaceOfAnAggregators) {
  TestPki pki;
  pki.AddCollaborator("alice");
  std::filesystem::create_directory(pki.cert_folder() / "server");
  for (const char* extension : {".key", ".crt"}) {
    std::filesystem::copy_file(pki.cert_folder() / ("client/col_alice" + std::string(extension)),
                               pki.cert_folder() / ("server/agg_alice" + std::string(extension)));
  }
  EXPECT_THAT(LoadAggregatorCredentials(pki.cert_folder(), "alice"),
              IsError(ErrorCode::kUnauthenticated, "issued for another purpose"));
}

TEST(CertStore, RefusesADamagedChainFile) {
  TestPki pki;
  pki.AddCollaborator("alice");
  const Path file = pki.cert_folder() / "cert_chain.crt";
  std::string text = pki.authority().ChainPem();
  const std::string root = pki.authority().root().ToPem();
  text[root.size() + 100] = '!';
  ASSERT_THAT(AtomicWrite(file, text), IsOk());
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
              IsError(ErrorCode::kDataLoss, "cert_chain.crt: certificate number 2 is damaged"));
  ASSERT_THAT(AtomicWrite(file, "nothing here\n"), IsOk());
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), kAlice),
              IsError(ErrorCode::kDataLoss, "holds no certificate"));
}

TEST(CertStore, RefusesNamesThatLeadElsewhere) {
  TestPki pki;
  EXPECT_THAT(LoadCollaboratorCredentials(pki.cert_folder(), {.value = "../server/agg_x"}),
              IsError(ErrorCode::kInvalidArgument, "may only have letters"));
}

// What OpenFL issues: RSA-3072, PKCS#1 key, no key usage, no extended key usage, no key
// identifiers.
TEST(CertStore, AcceptsCertificatesAsOpenFlMakesThem) {
  const TempDir dir;
  const auto made = RunCommand("cd " + dir.path().string() + R"( && mkdir client && set -e
    new() { openssl genrsa -traditional -out $1.key 3072; chmod 600 $1.key
            openssl req -new -sha384 -key $1.key -subj "$2" -out $1.csr; }
    ca='basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n'
    leaf='basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:alice\n'
    leaf="${leaf}subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n"
    printf "$ca" > ca.ext; printf "$leaf" > leaf.ext
    new root '/DC=org/DC=simple/CN=Simple Root CA/O=Simple Inc/OU=Simple Root CA'
    new signing '/DC=org/DC=simple/CN=Simple Signing CA/O=Simple Inc/OU=Simple Signing CA'
    new client/col_alice /CN=alice
    openssl x509 -req -sha384 -in root.csr -signkey root.key -extfile ca.ext -out root.crt
    openssl x509 -req -sha384 -in signing.csr -CA root.crt -CAkey root.key -CAcreateserial \
        -extfile ca.ext -out signing.crt
    openssl x509 -req -sha384 -in client/col_alice.csr -CA signing.crt -CAkey signing.key \
        -CAcreateserial -extfile leaf.ext -out client/col_alice.crt
    head -1 client/col_alice.key
    cat root.crt signing.crt > cert_chain.crt)");
  ASSERT_EQ(made.exit_code, 0) << made.output;
  ASSERT_THAT(made.output, HasSubstr("BEGIN RSA PRIVATE KEY"));
  const auto bundle = LoadCollaboratorCredentials(dir.path(), kAlice);
  ASSERT_THAT(bundle, IsOk());
  EXPECT_FALSE(bundle->ecdsa);
}

}  // namespace
}  // namespace fx
