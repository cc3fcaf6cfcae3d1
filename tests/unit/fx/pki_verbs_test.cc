// fx pki, as people type it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/log.h"
#include "fx/certificates.h"
#include "pki/cert_store.h"
#include "pki/expiry.h"
#include "pki/inventory.h"
#include "pki/revocation_list.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using nlohmann::json;
using test::IsOk;
using test::Must;
using test::RunCommand;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class PkiVerbs : public test::VerbTest {
 protected:
  static void Enter(const Path& place) {
    ASSERT_THAT(MakeFolders(place / "plan"), IsOk());
    std::filesystem::current_path(place);
    ASSERT_THAT(AtomicWrite(".workspace", ""), IsOk());
  }
  void Done(const std::vector<std::string>& words, const std::string& typed = "") {
    ASSERT_EQ(Run(words, typed), ExitCode::kDone) << err();
  }
  // In a workspace: an authority, an aggregator, and the collaborators ann and bob.
  void MakeFederation() {
    Enter(folder() / "agg");
    Done({"workspace", "certify"});
    Done({"aggregator", "generate-cert-request", "--fqdn", "agg.example"});
    Done({"aggregator", "certify", "-n", "agg.example", "-s"});
    for (const std::string name : {"ann", "bob"}) {
      Done({"collaborator", "generate-cert-request", "-n", name, "-x"});
      Done({"collaborator", "certify", "-n", name, "-s"});
    }
  }
  json Listed(const std::string& name) {
    EXPECT_EQ(Run({"pki", "list", "--json"}), ExitCode::kDone) << err();
    const json document = json::parse(out());
    for (const json& certificate : document["certificates"]) {
      if (certificate["name"] == name) return certificate;
    }
    return json::object();
  }
};

std::string Serial(const Path& file) {
  return Must(Certificate::Load(file)).Serial();
}

TEST_F(PkiVerbs, ListWhatThereIs) {
  MakeFederation();
  Done({"pki", "list"});
  EXPECT_THAT(out(), AllOf(HasSubstr("Simple Root CA"), HasSubstr("collaborator  valid"),
                           HasSubstr(Serial("cert/client/col_ann.crt"))));
  const json ann = Listed("ann");
  EXPECT_EQ(ann["state"], "valid");
  EXPECT_EQ(ann["role"], "collaborator");
  EXPECT_EQ(ann["serial"], Serial("cert/client/col_ann.crt"));
  EXPECT_EQ(ann["file"], "cert/client/col_ann.crt");
  EXPECT_NEAR(ann["days_left"], 364, 1);
}

TEST_F(PkiVerbs, ShowWhatOpenSslShows) {
  MakeFederation();
  Done({"pki", "show", "cert/server/agg_agg.example.crt"});
  for (const char* option : {"-serial", "-subject -nameopt oneline", "-ext extendedKeyUsage"}) {
    const std::string theirs = RunCommand(
                                   "openssl x509 -noout -in "
                                   "cert/server/agg_agg.example.crt " +
                                   std::string(option))
                                   .output;
    const std::string value = theirs.substr(theirs.find_last_of("=:\n", theirs.size() - 2) + 1);
    const std::size_t begin = value.find_first_not_of(' ');
    EXPECT_THAT(out(), HasSubstr(value.substr(begin, value.find('\n') - begin))) << theirs;
  }
  EXPECT_THAT(out(), AllOf(HasSubstr("DNS:agg.example"), HasSubstr("secp384r1")));
  Done({"pki", "show", "cert/cert_chain.crt"});
  EXPECT_THAT(out(), AllOf(HasSubstr("Simple Root CA"), HasSubstr("Simple Signing CA")));
  Done({"pki", "show", "cert/client/col_ann.csr"});
  EXPECT_THAT(out(), HasSubstr("Request of:"));
}

TEST_F(PkiVerbs, ShowNothingOfAPrivateKey) {
  MakeFederation();
  EXPECT_EQ(Run({"pki", "show", "cert/client/col_ann.key"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("is a private key; nothing of it is shown"));
  EXPECT_EQ(out(), "");
}

TEST_F(PkiVerbs, VerifyThatAllIsWellOrSayWhatToDo) {
  MakeFederation();
  Done({"pki", "verify"});
  EXPECT_THAT(out(), HasSubstr("Nothing is wrong."));
  Done({"pki", "revoke", "ann"});
  Done({"pki", "verify", "cert/client/col_bob.crt"});
  EXPECT_EQ(Run({"pki", "verify"}), ExitCode::kFailed);
  EXPECT_THAT(out(), AllOf(HasSubstr("problem: cert/client/col_ann.crt"),
                           HasSubstr("do: get a new one: fx pki renew ann")));
  EXPECT_THAT(err(), HasSubstr("1 problem with certificates"));
}

TEST_F(PkiVerbs, RevokeEveryCertificateOfAName) {
  MakeFederation();
  const std::string first = Serial("cert/client/col_ann.crt");
  Done({"pki", "renew", "ann"});
  const std::string second = Serial("cert/client/col_ann.crt");
  Done({"pki", "revoke", "Ann"});
  EXPECT_THAT(err(), AllOf(HasSubstr(first), HasSubstr(second),
                           HasSubstr("ann is still in plan/cols.yaml")));
  EXPECT_EQ(Must(LoadRevocationList("cert"))->size(), 2U);
  EXPECT_EQ(Listed("ann")["state"], "revoked");
  EXPECT_EQ(Listed("bob")["state"], "valid");
}

TEST_F(PkiVerbs, RevokeOneCertificateByItsSerialNumber) {
  MakeFederation();
  const std::string first = Serial("cert/client/col_ann.crt");
  Done({"pki", "renew", "ann"});
  Done({"pki", "revoke", "--serial", first});
  EXPECT_THAT(Must(LoadRevocationList("cert"))->Serials(), testing::ElementsAre(first));
  EXPECT_EQ(Run({"pki", "revoke", "--serial", "0BAD"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("has issued no certificate with the serial number 0BAD"));
}

TEST_F(PkiVerbs, RevokeTwiceSignsTheListAnewAndKeepsWhatItSaid) {
  MakeFederation();
  Done({"pki", "revoke", "ann"});
  Done({"pki", "revoke", "ann"});
  EXPECT_THAT(err(), HasSubstr("All of them were revoked before."));
  EXPECT_EQ(Must(LoadRevocationList("cert"))->size(), 1U);
  EXPECT_EQ(Must(LoadRevocationList("cert"))->number(), 2);
}

TEST_F(PkiVerbs, RevokeIsNotHeldUpByADamagedFile) {
  MakeFederation();
  const std::string serial = Serial("cert/client/col_ann.crt");
  Must(AtomicWrite("cert/client/col_ann.crt", "nonsense"));
  Done({"pki", "revoke", "ann"});
  EXPECT_THAT(err(),
              HasSubstr("Warning: left out, for it cannot be read: cert/client/col_ann.crt"));
  EXPECT_THAT(Must(LoadRevocationList("cert"))->Serials(), testing::ElementsAre(serial));
}

TEST_F(PkiVerbs, RevokeRefusesWhoeverIsNotKnown) {
  MakeFederation();
  EXPECT_EQ(Run({"pki", "revoke", "zoe"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("there is no certificate of \"zoe\" here"));
  EXPECT_EQ(Run({"pki", "revoke"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("expected a name, the file of a certificate, or --serial"));
  EXPECT_FALSE(Exists(RevocationFile("cert")));
}

TEST_F(PkiVerbs, RenewWhereTheAuthorityIs) {
  MakeFederation();
  const std::string key = Must(ReadFile("cert/server/agg_agg.example.key"));
  const std::string serial = Serial("cert/server/agg_agg.example.crt");
  Done({"pki", "renew", "agg.example"});
  EXPECT_NE(Must(ReadFile("cert/server/agg_agg.example.key")), key);
  EXPECT_NE(Serial("cert/server/agg_agg.example.crt"), serial);
  EXPECT_THAT(LoadAggregatorCredentials("cert", "agg.example"), IsOk());
}

TEST_F(PkiVerbs, RenewWithTheSameKeyWhenToldTo) {
  MakeFederation();
  const std::string key = Must(ReadFile("cert/client/col_ann.key"));
  const std::string serial = Serial("cert/client/col_ann.crt");
  Done({"pki", "renew", "ann", "--same-key"});
  EXPECT_EQ(Must(ReadFile("cert/client/col_ann.key")), key);
  EXPECT_NE(Serial("cert/client/col_ann.crt"), serial);
}

TEST_F(PkiVerbs, RenewEveryoneWhoseKeyIsHere) {
  MakeFederation();
  Done({"pki", "renew"});
  EXPECT_EQ(Must(ListCertificates("cert", UnixNow())).size(), 8U);  // 2 authorities, 3 twice
  Done({"pki", "verify"});
}

TEST_F(PkiVerbs, RenewAtASiteKeepsTheOldUntilTheNewArrives) {
  Enter(folder() / "site");
  Done({"collaborator", "generate-cert-request", "-n", "ann"});
  Enter(folder() / "agg");
  Done({"workspace", "certify"});
  const auto sign_and_send = [&] {
    Enter(folder() / "agg");
    Done({"collaborator", "certify", "-r", "../site/col_ann_to_agg_cert_request.zip", "-s"});
    Enter(folder() / "site");
    Done({"collaborator", "certify", "-i", "../agg/agg_to_col_ann_signed_cert.zip"});
  };
  sign_and_send();
  const std::string serial = Serial("cert/client/col_ann.crt");
  Done({"pki", "renew", "ann"});
  EXPECT_THAT(err(), HasSubstr("Until then the certificate in use stays in use."));
  EXPECT_THAT(LoadCollaboratorCredentials("cert", {.value = "ann"}), IsOk());
  EXPECT_EQ(Serial("cert/client/col_ann.crt"), serial);
  sign_and_send();
  EXPECT_NE(Serial("cert/client/col_ann.crt"), serial);
  EXPECT_THAT(LoadCollaboratorCredentials("cert", {.value = "ann"}), IsOk());
}

TEST_F(PkiVerbs, RenewAnAggregatorWhoseAuthorityIsElsewhere) {
  MakeFederation();
  Enter(folder() / "elsewhere");
  Must(MakeFolders("cert/server", 0700));
  for (const char* file :
       {"cert_chain.crt", "server/agg_agg.example.key", "server/agg_agg.example.crt"}) {
    std::filesystem::copy_file(folder() / "agg/cert" / file, Path("cert") / file);
  }
  const std::string serial = Serial("cert/server/agg_agg.example.crt");
  Done({"pki", "renew", "agg.example"});
  std::filesystem::copy_file("cert/server/agg_agg.example.csr",
                             folder() / "agg/cert/server/agg_agg.example.csr",
                             std::filesystem::copy_options::overwrite_existing);
  Enter(folder() / "agg");
  Must(RemoveIfExists("cert/server/agg_agg.example.key"));
  Done({"aggregator", "certify", "-n", "agg.example", "-s"});
  Enter(folder() / "elsewhere");
  Done({"pki", "renew", "agg.example", "--import",
        (folder() / "agg/cert/server/agg_agg.example.crt").string()});
  EXPECT_NE(Serial("cert/server/agg_agg.example.crt"), serial);
  EXPECT_THAT(LoadAggregatorCredentials("cert", "agg.example"), IsOk());
}

TEST_F(PkiVerbs, WarnInTheLogOfAListThatCannotBeRead) {
  MakeFederation();
  ASSERT_TRUE(AddLogFile((folder() / "log").string()));
  LogCertificateWarnings("cert", {"ann", "bob", "agg.example"});
  EXPECT_EQ(Must(ReadFile(folder() / "log")), "");
  Must(AtomicWrite(RevocationFile("cert"), "nonsense"));
  LogCertificateWarnings("cert", {"ann"});
  EXPECT_THAT(Must(ReadFile(folder() / "log")),
              AllOf(HasSubstr("level=warning msg=\"certificates need attention\""),
                    HasSubstr("signing-ca.crl: not a revocation list")));
}

TEST_F(PkiVerbs, RenewTheListAlone) {
  MakeFederation();
  Done({"pki", "renew", "--crl"});
  EXPECT_EQ(Must(LoadRevocationList("cert"))->number(), 1);
  EXPECT_EQ(Must(LoadRevocationList("cert"))->size(), 0U);
}

TEST_F(PkiVerbs, RenewSaysWhereTheKeyHasToBe) {
  MakeFederation();
  EXPECT_EQ(Run({"pki", "renew", "zoe"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("the private key of \"zoe\" is not in this workspace"));
}

TEST_F(PkiVerbs, UseRsaWhereItIsAskedFor) {
  Enter(folder() / "agg");
  Done({"workspace", "certify", "--rsa"});
  Done({"collaborator", "generate-cert-request", "-n", "ann", "-x", "--rsa"});
  Done({"collaborator", "certify", "-n", "ann", "-s"});
  Done({"pki", "renew", "ann"});  // stays what it is
  const auto text = RunCommand("openssl x509 -noout -text -in cert/client/col_ann.crt").output;
  EXPECT_THAT(text, AllOf(HasSubstr("Public-Key: (3072 bit)"), HasSubstr("sha384WithRSAEncryption"),
                          HasSubstr("Key Encipherment")));
  EXPECT_THAT(RunCommand("openssl x509 -noout -text -in cert/ca/root-ca.crt").output,
              HasSubstr("(3072 bit)"));
}

// RSA-3072 in PKCS#1, SHA-384, no key usage, no extended key usage, no key identifiers, and books
// in which nothing was ever written.
constexpr const char* kMakeAsOpenFl = R"(set -e; cd cert
  new() { openssl genrsa -traditional -out $1.key 3072; chmod 600 $1.key
          openssl req -new -sha384 -key $1.key -subj "$2" -out $1.csr; }
  none='subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n'
  printf "basicConstraints=critical,CA:TRUE\n$none" > ca.ext
  printf "basicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:alice\n$none" > leaf.ext
  mkdir -p client ca/signing-ca/private ca/signing-ca/db
  new root '/DC=org/DC=simple/CN=Simple Root CA/O=Simple Inc/OU=Simple Root CA'
  new signing '/DC=org/DC=simple/CN=Simple Signing CA/O=Simple Inc/OU=Simple Signing CA'
  new client/col_alice /CN=alice
  openssl x509 -req -sha384 -days 365 -in root.csr -signkey root.key -extfile ca.ext \
      -out ca/root-ca.crt
  openssl x509 -req -sha384 -days 365 -in signing.csr -CA ca/root-ca.crt -CAkey root.key \
      -CAcreateserial -extfile ca.ext -out ca/signing-ca.crt
  openssl x509 -req -sha384 -days 365 -in client/col_alice.csr -CA ca/signing-ca.crt \
      -CAkey signing.key -CAcreateserial -extfile leaf.ext -out client/col_alice.crt
  mv signing.key ca/signing-ca/private/signing-ca.key
  touch ca/signing-ca/db/signing-ca.db ca/signing-ca/db/signing-ca.db.attr
  echo 01 > ca/signing-ca/db/signing-ca.crl.srl
  cat ca/root-ca.crt ca/signing-ca.crt > cert_chain.crt)";

TEST_F(PkiVerbs, WorkOnWhatOpenFlMade) {
  Enter(folder() / "agg");
  Must(MakeFolders("cert"));
  const auto made = RunCommand(kMakeAsOpenFl);
  ASSERT_EQ(made.exit_code, 0) << made.output;
  Done({"pki", "verify"});
  EXPECT_THAT(out(), AllOf(HasSubstr("warning: cert/client/col_alice.crt: states no extended key"),
                           HasSubstr("No problem for today.")));
  std::filesystem::copy_file("cert/client/col_alice.crt", "before.crt");
  Done({"pki", "renew", "alice"});
  EXPECT_THAT(RunCommand("openssl x509 -noout -text -in cert/client/col_alice.crt").output,
              AllOf(HasSubstr("TLS Web Client Authentication"), HasSubstr("(3072 bit)")));
  Done({"pki", "revoke", "before.crt"});
  const auto verify = [](const std::string& file) {
    return RunCommand(
        "openssl verify -crl_check -CAfile cert/cert_chain.crt -CRLfile "
        "cert/ca/signing-ca.crl " +
        file);
  };
  EXPECT_THAT(verify("before.crt").output, HasSubstr("certificate revoked"));
  EXPECT_EQ(verify("cert/client/col_alice.crt").exit_code, 0);
  Done({"pki", "revoke", "alice"});
  EXPECT_THAT(verify("cert/client/col_alice.crt").output, HasSubstr("certificate revoked"));
}

class LockedAuthority : public PkiVerbs {
 protected:
  void SetUp() override {
    Enter(folder() / "agg");
    Must(AtomicWrite("secret", "correct horse\n", FileMode::kPrivate));
    Done({"workspace", "certify", "--passphrase-file", "secret"});
    Done({"collaborator", "generate-cert-request", "-n", "ann", "-x"});
  }
};

TEST_F(LockedAuthority, HasItsKeysLockedOnDisk) {
  for (const char* name : {"root-ca", "signing-ca"}) {
    EXPECT_THAT(Must(ReadFile(Path("cert/ca") / name / "private" / (std::string(name) + ".key"))),
                HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
  }
}

TEST_F(LockedAuthority, SignsWithThePassphraseInAFile) {
  Done({"collaborator", "certify", "-n", "ann", "-s", "--passphrase-file", "secret"});
  Done({"pki", "revoke", "ann", "--passphrase-file", "secret"});
  Done({"pki", "renew", "--crl", "--passphrase-file", "secret"});
}

TEST_F(LockedAuthority, WarnsOfAPassphraseThatOthersCanRead) {
  Done({"pki", "renew", "--crl", "--passphrase-file", "secret"});
  EXPECT_THAT(err(), Not(HasSubstr("Warning")));
  std::filesystem::permissions("secret", std::filesystem::perms(0644));
  Done({"pki", "renew", "--crl", "--passphrase-file", "secret"});
  EXPECT_THAT(err(), HasSubstr("other users of this machine can read the passphrase: chmod 600 "));
}

TEST_F(LockedAuthority, AsksOnATerminalOnly) {
  Done({"collaborator", "certify", "-n", "ann", "-s"}, "correct horse\n");
  EXPECT_THAT(err(), AllOf(HasSubstr("Passphrase of cert/ca/signing-ca/private/signing-ca.key: "),
                           Not(HasSubstr("correct horse"))));
  EXPECT_EQ(Run({"collaborator", "certify", "-n", "ann", "-s"}), ExitCode::kFailed);
  EXPECT_THAT(err(),
              AllOf(HasSubstr("the input is not a terminal"), HasSubstr("--passphrase-file FILE")));
}

TEST_F(LockedAuthority, AsksOnceForAllThatIsRenewed) {
  Done({"collaborator", "certify", "-n", "ann", "-s", "--passphrase-file", "secret"});
  Done({"collaborator", "generate-cert-request", "-n", "bob", "-x"});
  Done({"collaborator", "certify", "-n", "bob", "-s", "--passphrase-file", "secret"});
  Done({"pki", "renew"}, "correct horse\n");
}

TEST_F(LockedAuthority, SaysThatAPassphraseIsWrong) {
  EXPECT_EQ(Run({"collaborator", "certify", "-n", "ann", "-s"}, "wrong\n"),
            ExitCode::kNotAuthorised);
  EXPECT_THAT(err(), HasSubstr("the passphrase does not open this private key"));
}

TEST_F(PkiVerbs, ChooseAPassphraseByTypingItTwice) {
  Enter(folder() / "agg");
  EXPECT_EQ(Run({"workspace", "certify", "--passphrase"}, "correct horse\nbattery staple\n"),
            ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("the two passphrases differ"));
  EXPECT_EQ(Run({"workspace", "certify", "--passphrase"}, "short\nshort\n"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("expected at least 8"));
  EXPECT_FALSE(Exists("cert/ca"));
  Done({"workspace", "certify", "--passphrase"}, "correct horse\ncorrect horse\n");
  EXPECT_THAT(Must(ReadFile("cert/ca/signing-ca/private/signing-ca.key")),
              HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
}

}  // namespace
}  // namespace fx
