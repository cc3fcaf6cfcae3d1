// The certificate verbs, as people type them: what they write, what they say, what they refuse.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/digest.h"
#include "fx/aggregator/certify.h"
#include "fx/aggregator/generate_cert_request.h"
#include "fx/app.h"
#include "fx/collaborator/certify.h"
#include "fx/collaborator/generate_cert_request.h"
#include "fx/workspace/archive.h"
#include "fx/workspace/certify.h"
#include "pki/cert_store.h"
#include "plan/load.h"
#include "tests/support/matchers.h"
#include "tests/support/run_command.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using test::RunCommand;
using test::TestIo;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct Outcome {
  ExitCode code;
  std::string out;
  std::string err;
};

class CertVerbs : public test::VerbTest {
 protected:
  // A site's workspace, entered.
  void Enter(const std::string& site) const {
    const Path place = folder() / site;
    ASSERT_THAT(MakeFolders(place / "plan"), IsOk());
    std::filesystem::current_path(place);
    ASSERT_THAT(AtomicWrite(".workspace", ""), IsOk());
  }

  static Outcome Fx(const std::vector<std::string>& words, const std::string& typed = "",
                    bool tty = false) {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(MakeWorkspaceCertify());
    commands.push_back(MakeAggregatorGenerateCertRequest());
    commands.push_back(MakeAggregatorCertify());
    commands.push_back(MakeCollaboratorGenerateCertRequest());
    commands.push_back(MakeCollaboratorCertify());
    TestIo test(typed, tty);
    const ExitCode code = RunApp(words, commands, test.io);
    return {.code = code, .out = test.out.str(), .err = test.err.str()};
  }
  static void FxDone(const std::vector<std::string>& words) {
    const Outcome outcome = Fx(words);
    ASSERT_EQ(outcome.code, ExitCode::kDone) << outcome.err;
  }

  // In agg/: an authority; in site/: a request of alice, sent.
  void AskAsAlice() const {
    Enter("site");
    FxDone({"collaborator", "generate-cert-request", "-n", "Alice", "--silent"});
    Enter("agg");
    FxDone({"workspace", "certify"});
    std::filesystem::copy_file("../site/col_alice_to_agg_cert_request.zip",
                               "col_alice_to_agg_cert_request.zip");
  }
  // Then: signed and sent back; in site/.
  void SignForAlice() const {
    AskAsAlice();
    FxDone({"collaborator", "certify", "--request-pkg", "col_alice_to_agg_cert_request.zip", "-s"});
    Enter("site");
    std::filesystem::copy_file("../agg/agg_to_col_alice_signed_cert.zip",
                               "agg_to_col_alice_signed_cert.zip");
  }
};

const std::vector<std::string> kSignAlice = {"collaborator", "certify", "-r",
                                             "col_alice_to_agg_cert_request.zip"};
const std::vector<std::string> kImportAlice = {"collaborator", "certify", "-i",
                                               "agg_to_col_alice_signed_cert.zip"};

std::vector<std::string> Names(const std::vector<ArchiveEntry>& entries) {
  std::vector<std::string> names;
  for (const ArchiveEntry& entry : entries) names.push_back(entry.name);
  return names;
}

std::string Contents(const Path& path) {
  const auto text = ReadFile(path);
  return text ? *text : "missing: " + path.string();
}

TEST_F(CertVerbs, GiveAnAggregatorItsCertificate) {
  Enter("agg");
  FxDone({"workspace", "certify"});
  const Outcome request = Fx({"aggregator", "generate-cert-request", "--fqdn", "Agg.Example"});
  ASSERT_EQ(request.code, ExitCode::kDone) << request.err;
  EXPECT_THAT(request.out, HasSubstr(Sha384Hex(Contents("cert/server/agg_agg.example.csr"))));
  FxDone({"aggregator", "certify", "--fqdn", "agg.example", "--silent"});
  EXPECT_THAT(LoadAggregatorCredentials("cert", "agg.example"), IsOk());
}

TEST_F(CertVerbs, GiveACollaboratorItsCertificate) {
  SignForAlice();
  const Outcome imported = Fx(kImportAlice);
  ASSERT_EQ(imported.code, ExitCode::kDone) << imported.err;
  EXPECT_THAT(LoadCollaboratorCredentials("cert", {.value = "alice"}), IsOk());
  EXPECT_EQ(Contents("cert/cert_chain.crt"), Contents("../agg/cert/cert_chain.crt"));
  EXPECT_THAT(LoadColsFile("../agg/plan/cols.yaml"),
              IsOkAndHolds(ElementsAre(CollaboratorName{.value = "alice"})));
}

TEST_F(CertVerbs, SendArchivesWithOpenFlsContents) {
  SignForAlice();
  const auto request = ReadZip("col_alice_to_agg_cert_request.zip");
  ASSERT_THAT(request, IsOk());
  EXPECT_THAT(Names(*request), ElementsAre("col_alice.csr"));
  const auto answer = ReadZip("agg_to_col_alice_signed_cert.zip");
  ASSERT_THAT(answer, IsOk());
  EXPECT_THAT(Names(*answer), ElementsAre("client/col_alice.crt", "cert_chain.crt"));
}

TEST_F(CertVerbs, KeepPrivateKeysPrivate) {
  Enter("site");
  FxDone({"collaborator", "generate-cert-request", "-n", "alice"});
  const auto mode = [](const Path& path) { return std::filesystem::status(path).permissions(); };
  EXPECT_EQ(mode("cert/client"), std::filesystem::perms(0700));
  EXPECT_EQ(mode("cert/client/col_alice.key"), std::filesystem::perms(0600));
  EXPECT_THAT(RunCommand("grep -rl PRIVATE . | sort").output, "./cert/client/col_alice.key\n");
}

TEST_F(CertVerbs, SkipTheArchiveWhenToldTo) {
  Enter("site");
  FxDone({"collaborator", "generate-cert-request", "-n", "alice", "-x"});
  EXPECT_TRUE(Exists("cert/client/col_alice.csr"));
  EXPECT_FALSE(Exists("col_alice_to_agg_cert_request.zip"));
}

TEST_F(CertVerbs, SignForACollaboratorInTheSameWorkspace) {
  Enter("agg");
  FxDone({"workspace", "certify"});
  FxDone({"collaborator", "generate-cert-request", "-n", "alice", "-x"});
  FxDone({"collaborator", "certify", "-n", "Alice", "-s"});
  EXPECT_THAT(LoadCollaboratorCredentials("cert", {.value = "alice"}), IsOk());
  EXPECT_TRUE(Exists("agg_to_col_alice_signed_cert.zip"));
}

TEST_F(CertVerbs, KeepAnAuthorityThatExistsAndSaySo) {
  Enter("agg");
  FxDone({"workspace", "certify"});
  const std::string chain = Contents("cert/cert_chain.crt");
  const Outcome again = Fx({"workspace", "certify"});
  EXPECT_EQ(again.code, ExitCode::kDone);
  EXPECT_THAT(again.err, HasSubstr("This workspace has an authority; it is kept"));
  EXPECT_EQ(Contents("cert/cert_chain.crt"), chain);
}

TEST_F(CertVerbs, KeepAKeyAndRequestThatExist) {
  Enter("site");
  const Outcome first = Fx({"collaborator", "generate-cert-request", "-n", "alice"});
  const std::string key = Contents("cert/client/col_alice.key");
  const Outcome second = Fx({"collaborator", "generate-cert-request", "-n", "alice"});
  EXPECT_EQ(second.code, ExitCode::kDone);
  EXPECT_EQ(second.out, first.out);
  EXPECT_THAT(second.err, HasSubstr("Keeping the private key"));
  EXPECT_EQ(Contents("cert/client/col_alice.key"), key);

  std::filesystem::remove("cert/client/col_alice.key");
  EXPECT_NE(Fx({"collaborator", "generate-cert-request", "-n", "alice"}).out, first.out);
}

TEST_F(CertVerbs, SignTheSameRequestTwice) {
  AskAsAlice();
  std::vector<std::string> sign = kSignAlice;
  sign.push_back("--silent");
  FxDone(sign);
  const Outcome again = Fx(sign);
  EXPECT_EQ(again.code, ExitCode::kDone);
  EXPECT_THAT(again.err, HasSubstr("alice was already listed in plan/cols.yaml"));
  EXPECT_THAT(LoadColsFile("plan/cols.yaml"),
              IsOkAndHolds(ElementsAre(CollaboratorName{.value = "alice"})));
}

TEST_F(CertVerbs, SignAfterAYesOnTheTerminal) {
  AskAsAlice();
  const Outcome signed_now = Fx(kSignAlice, "y\n", true);
  EXPECT_EQ(signed_now.code, ExitCode::kDone) << signed_now.err;
  EXPECT_THAT(signed_now.out, HasSubstr(Sha384Hex(Contents("../site/cert/client/col_alice.csr"))));
}

TEST_F(CertVerbs, SignNothingWithoutAYes) {
  AskAsAlice();
  for (const char* typed : {"n\n", "\n", ""}) {
    EXPECT_EQ(Fx(kSignAlice, typed, true).code, ExitCode::kCancelled);
  }
  const Outcome nobody = Fx(kSignAlice, "y\n", false);
  EXPECT_EQ(nobody.code, ExitCode::kFailed);
  EXPECT_THAT(nobody.err, AllOf(HasSubstr("the input is not a terminal"), HasSubstr("--silent")));
  EXPECT_FALSE(Exists("agg_to_col_alice_signed_cert.zip"));
  EXPECT_FALSE(Exists("cert/client/col_alice.crt"));
  EXPECT_FALSE(Exists("plan/cols.yaml"));
}

TEST_F(CertVerbs, SayWhichCommandComesFirst) {
  Enter("agg");
  EXPECT_THAT(Fx({"aggregator", "certify", "-n", "agg", "-s"}).err,
              HasSubstr("run: fx aggregator generate-cert-request --fqdn agg"));
  FxDone({"aggregator", "generate-cert-request", "--fqdn", "agg"});
  EXPECT_THAT(Fx({"aggregator", "certify", "-n", "agg", "-s"}).err,
              HasSubstr("run: fx workspace certify"));
  FxDone({"workspace", "certify"});
  EXPECT_THAT(Fx({"collaborator", "certify", "-n", "alice", "-s"}).err,
              HasSubstr("--request-pkg col_alice_to_agg_cert_request.zip"));
}

TEST_F(CertVerbs, RefuseFoldersThatAreNoWorkspace) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"workspace", "certify"},
        {"aggregator", "generate-cert-request", "--fqdn", "agg"},
        {"aggregator", "certify", "-n", "agg"},
        {"collaborator", "generate-cert-request", "-n", "alice"},
        {"collaborator", "certify", "-n", "alice"}}) {
    const Outcome outcome = Fx(words);
    EXPECT_EQ(outcome.code, ExitCode::kFailed);
    EXPECT_THAT(outcome.err, HasSubstr("is not a workspace"));
  }
  EXPECT_FALSE(Exists("cert"));
}

TEST_F(CertVerbs, RefuseNamesThatAreNotHarmless) {
  Enter("site");
  for (const char* name : {"../x", "a/b", "", "a b", "model", "aggregator"}) {
    EXPECT_EQ(Fx({"collaborator", "generate-cert-request", "-n", name}).code, ExitCode::kFailed)
        << name;
  }
  EXPECT_FALSE(Exists("cert"));
}

TEST_F(CertVerbs, RefuseOptionsThatDoNotGoTogether) {
  Enter("agg");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"collaborator", "certify"},
        {"collaborator", "certify", "-n", "alice", "-r", "a.zip"},
        {"collaborator", "certify", "-n", "alice", "-i", "a.zip"},
        {"collaborator", "certify", "-r", "a.zip", "-i", "a.zip"}}) {
    EXPECT_THAT(Fx(words).err,
                HasSubstr("expected one of --request-pkg ZIP, --import ZIP and -n NAME"));
  }
}

TEST_F(CertVerbs, RefuseARequestThatIsForAnotherThanItsFileSays) {
  AskAsAlice();
  ASSERT_THAT(WriteZip("col_bob_to_agg_cert_request.zip",
                       {{.name = "col_bob.csr",
                         .bytes = Contents("../site/cert/client/col_alice.csr"),
                         .folder = false}}),
              IsOk());
  const Outcome outcome =
      Fx({"collaborator", "certify", "-r", "col_bob_to_agg_cert_request.zip", "-s"});
  EXPECT_EQ(outcome.code, ExitCode::kNotAuthorised);
  EXPECT_THAT(outcome.err, HasSubstr("asks for a certificate for \"alice\", expected \"bob\""));
}

TEST_F(CertVerbs, RefuseARequestArchiveWithAnythingElseInIt) {
  AskAsAlice();
  const std::string csr = Contents("../site/cert/client/col_alice.csr");
  const std::vector<std::vector<ArchiveEntry>> cases = {
      {{.name = "col_alice.csr", .bytes = csr, .folder = false},
       {.name = "col_alice.key", .bytes = "", .folder = false}},
      {{.name = "client/col_alice.csr", .bytes = csr, .folder = false}},
      {{.name = "alice.csr", .bytes = csr, .folder = false}}};
  for (const auto& entries : cases) {
    ASSERT_THAT(WriteZip("x.zip", entries), IsOk());
    EXPECT_THAT(Fx({"collaborator", "certify", "-r", "x.zip", "-s"}).err,
                HasSubstr("x.zip: expected one file in it, col_<name>.csr"));
  }
}

TEST_F(CertVerbs, RefuseToImportWhereTheKeyIsNot) {
  SignForAlice();
  std::filesystem::rename("cert/client/col_alice.key", "moved.key");
  const Outcome outcome = Fx(kImportAlice);
  EXPECT_EQ(outcome.code, ExitCode::kFailed);
  EXPECT_THAT(outcome.err, HasSubstr("the private key of this certificate is not here"));
  EXPECT_FALSE(Exists("cert/client/col_alice.crt"));
  EXPECT_FALSE(Exists("cert/cert_chain.crt"));
}

TEST_F(CertVerbs, RefuseToImportACertificateMadeForAnOlderKey) {
  SignForAlice();
  std::filesystem::remove("cert/client/col_alice.key");
  FxDone({"collaborator", "generate-cert-request", "-n", "alice"});
  EXPECT_THAT(Fx(kImportAlice).err, HasSubstr("the certificate was made for another key"));
  EXPECT_FALSE(Exists("cert/client/col_alice.crt"));
}

TEST_F(CertVerbs, RefuseToImportACertificateThatItsOwnChainDoesNotVouchFor) {
  SignForAlice();
  Enter("other");
  FxDone({"workspace", "certify"});
  Enter("site");
  const auto answer = ReadZip("agg_to_col_alice_signed_cert.zip");
  ASSERT_THAT(answer, IsOk());
  ASSERT_THAT(WriteZip("agg_to_col_alice_signed_cert.zip",
                       {answer->front(),
                        {.name = "cert_chain.crt",
                         .bytes = Contents("../other/cert/cert_chain.crt"),
                         .folder = false}}),
              IsOk());
  EXPECT_THAT(Fx(kImportAlice).err, HasSubstr("was signed by \"Simple Signing CA\""));
  EXPECT_FALSE(Exists("cert/cert_chain.crt"));
}

TEST_F(CertVerbs, RefuseToReplaceTheChainOfAnAuthority) {
  SignForAlice();
  FxDone({"workspace", "certify"});
  const std::string chain = Contents("cert/cert_chain.crt");
  EXPECT_THAT(Fx(kImportAlice).err, HasSubstr("this workspace has an authority of its own"));
  EXPECT_EQ(Contents("cert/cert_chain.crt"), chain);
}

TEST_F(CertVerbs, TakeTheNameOfTheMachineFromTheEnvironment) {
  Enter("agg");
  setenv("FQDN", "From.Environment", 1);
  const Outcome outcome = Fx({"aggregator", "generate-cert-request"});
  unsetenv("FQDN");
  EXPECT_EQ(outcome.code, ExitCode::kDone);
  EXPECT_TRUE(Exists("cert/server/agg_from.environment.csr"));
}

}  // namespace
}  // namespace fx
