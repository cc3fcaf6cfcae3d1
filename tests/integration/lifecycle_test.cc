// Certificates, lists and names that change while the aggregator runs, with connections open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <thread>

#include "core/tensor/model_file.h"
#include "fx/aggregator/watch.h"
#include "pki/chain.h"
#include "tests/integration/federation.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/run_command.h"

namespace fx::test {
namespace {

using grpc::StatusCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kDay = 24 * 3600;

// What a person does to the files is seen when Look is called.
class Lifecycle : public testing::Test {
 protected:
  Lifecycle() { Must(AtomicWrite(cols_, "collaborators: [ann, bob]\n")); }

  Watch MakeWatch() {
    return Watch(federation_.plan, {.cols = cols_, .cert_folder = federation_.pki.cert_folder()},
                 Must(LoadListInForce(federation_.pki.cert_folder())), aggregator_.runtime());
  }
  std::shared_ptr<grpc::Channel> Open(const std::string& name) {
    return federation_.Connect(name, aggregator_.port());
  }
  grpc::Status AskAs(const std::shared_ptr<grpc::Channel>& channel, const std::string& name) {
    return Ask(channel, HeaderOf(federation_, name));
  }
  std::string SerialOf(const std::string& file) const {
    return Must(Certificate::Load(federation_.pki.cert_folder() / file)).Serial();
  }
  RevocationList Revoke(const std::string& name, std::int64_t now = UnixNow()) const {
    return Must(
        federation_.pki.authority().Revoke({SerialOf("client/col_" + name + ".crt")}, {}, now));
  }
  Path ListFile() const { return RevocationFile(federation_.pki.cert_folder()); }

  void ExpectRevoked(const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), StatusCode::UNAUTHENTICATED) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr("was revoked"));
  }
  void ExpectServed(const grpc::Status& status) {
    EXPECT_TRUE(status.ok()) << status.error_message();
  }

  TestFederation federation_;
  const Path cols_ = federation_.workspace.path() / "cols.yaml";
  RunningAggregator aggregator_{federation_.Options()};
  Watch watch_ = MakeWatch();
};

TEST_F(Lifecycle, ARevokedSiteIsCutOffOnItsOpenChannel) {
  const auto ann = Open("ann");
  const auto bob = Open("bob");
  ExpectServed(AskAs(ann, "ann"));
  Revoke("ann");
  watch_.Look();
  ExpectRevoked(AskAs(ann, "ann"));
  ExpectRevoked(Send(ann, GoodUpload(federation_, "ann")));
  ExpectServed(AskAs(bob, "bob"));
}

TEST_F(Lifecycle, ARevokedSiteIsNotLeftWaiting) {
  federation_.pki.AddCollaborator("zoe");
  aggregator_.runtime().SetMembers({{"ann"}, {"bob"}, {"zoe"}});
  const auto zoe = Open("zoe");
  // She has nothing to do before the next round, so the call waits.
  auto waiting = std::async(std::launch::async, [&] { return AskAs(zoe, "zoe"); });
  Revoke("zoe");
  watch_.Look();
  ExpectRevoked(waiting.get());
}

TEST_F(Lifecycle, ASiteThatComesBackWithAnotherCertificateIsWelcome) {
  Revoke("ann");
  watch_.Look();
  federation_.pki.AddCollaborator("ann");
  ExpectServed(AskAs(Open("ann"), "ann"));
}

TEST_F(Lifecycle, AListThatCannotBeUsedLeavesTheOneBeforeInForce) {
  const RevocationList old = Must(federation_.pki.authority().Revoke({}, {}, UnixNow()));
  Revoke("ann");
  watch_.Look();
  const TestPki other;
  const std::string foreign = Must(other.authority().Revoke({}, {}, UnixNow())).ToPem();
  for (const std::string& content : {std::string("nonsense"), foreign, old.ToPem()}) {
    Must(AtomicWrite(ListFile(), content));
    watch_.Look();
    ExpectRevoked(AskAs(Open("ann"), "ann"));
    ExpectServed(AskAs(Open("bob"), "bob"));
  }
  Must(RemoveIfExists(ListFile()));
  watch_.Look();
  ExpectRevoked(AskAs(Open("ann"), "ann"));
  ExpectServed(AskAs(Open("bob"), "bob"));
}

TEST_F(Lifecycle, AListThatIsOverdueStaysInForceAndLocksNobodyOut) {
  Revoke("ann", UnixNow() - 400 * kDay);
  watch_.Look();
  ExpectRevoked(AskAs(Open("ann"), "ann"));
  ExpectServed(AskAs(Open("bob"), "bob"));
}

TEST_F(Lifecycle, AListIsInForceFromTheFirstCallOn) {
  TestFederation other;
  auto options = other.Options();
  const Certificate ann = Must(Certificate::Load(other.pki.cert_folder() / "client/col_ann.crt"));
  options.revoked = Must(other.pki.authority().Revoke({ann.Serial()}, {}, UnixNow()));
  const RunningAggregator aggregator(std::move(options));
  ExpectRevoked(Ask(other.Connect("ann", aggregator.port()), HeaderOf(other, "ann")));
}

TEST_F(Lifecycle, AListThatIsMendedCounts) {
  Must(AtomicWrite(ListFile(), "nonsense"));
  watch_.Look();
  ExpectServed(AskAs(Open("ann"), "ann"));
  Revoke("ann");
  watch_.Look();
  ExpectRevoked(AskAs(Open("ann"), "ann"));
}

TEST_F(Lifecycle, ANewProcessRefusesToStartWithoutKnowingWhoWasRevoked) {
  const Path folder = federation_.pki.cert_folder();
  EXPECT_THAT(LoadListInForce(folder), IsOk());
  Revoke("ann");
  EXPECT_TRUE(Must(LoadListInForce(folder)).has_value());
  Must(RemoveIfExists(ListFile()));
  EXPECT_THAT(LoadListInForce(folder),
              IsError(ErrorCode::kFailedPrecondition, "fx pki renew --crl"));
  Must(AtomicWrite(ListFile(), "nonsense"));
  EXPECT_THAT(LoadListInForce(folder),
              IsError(ErrorCode::kDataLoss, "cannot tell who was revoked"));
}

TEST_F(Lifecycle, ANewProcessRefusesAListOlderThanTheBooks) {
  const Path folder = federation_.pki.cert_folder();
  const std::string old = Must(federation_.pki.authority().Revoke({}, {}, UnixNow())).ToPem();
  Revoke("ann");
  Must(AtomicWrite(ListFile(), old));
  EXPECT_THAT(LoadListInForce(folder), IsError(ErrorCode::kFailedPrecondition, "is too old"));
}

TEST_F(Lifecycle, AListThatCannotBeLookedAtIsNotTakenForNone) {
  std::filesystem::create_symlink(ListFile().filename(), ListFile());  // of itself
  EXPECT_FALSE(Exists(ListFile()));
  EXPECT_THAT(LoadListInForce(federation_.pki.cert_folder()),
              IsError(ErrorCode::kFailedPrecondition, "cannot tell who was revoked"));
}

// The serial number a fresh connection is shown, as OpenSSL reads it.
std::string ShownSerial(std::uint16_t port) {
  const auto ran =
      RunCommand("openssl s_client -connect localhost:" + std::to_string(port) +
                 " -alpn h2 </dev/null 2>/dev/null | openssl x509 -noout -serial | cut -d= -f2");
  return ran.output.substr(0, ran.output.find('\n'));
}

TEST_F(Lifecycle, TheAggregatorsNewCertificateIsShownWithoutARestart) {
  const auto open = Open("ann");
  ExpectServed(AskAs(open, "ann"));
  const std::string before = SerialOf("server/agg_localhost.crt");
  EXPECT_EQ(ShownSerial(aggregator_.port()), before);
  federation_.pki.AddAggregator("localhost");
  watch_.Look();
  const std::string after = SerialOf("server/agg_localhost.crt");
  EXPECT_NE(after, before);
  EXPECT_EQ(ShownSerial(aggregator_.port()), after);
  ExpectServed(AskAs(open, "ann"));
  ExpectServed(AskAs(Open("bob"), "bob"));
}

TEST_F(Lifecycle, ACertificateThatDoesNotFitItsKeyIsNeverShown) {
  const std::string before = ShownSerial(aggregator_.port());
  const Path key = federation_.pki.cert_folder() / "server/agg_localhost.key";
  const std::string right = Must(ReadFile(key));
  const PrivateKey other = Must(PrivateKey::Generate());
  Must(other.Save(key));
  watch_.Look();
  EXPECT_EQ(ShownSerial(aggregator_.port()), before);
  ExpectServed(AskAs(Open("ann"), "ann"));
  Must(AtomicWrite(key, right, FileMode::kPrivate));
  watch_.Look();
  ExpectServed(AskAs(Open("ann"), "ann"));
}

TEST_F(Lifecycle, OnRequestTheFilesAreTakenOverAtOnce) {
  Revoke("ann");
  watch_.Reread();
  ExpectRevoked(AskAs(Open("ann"), "ann"));
  federation_.pki.AddAggregator("localhost");
  watch_.Reread();
  EXPECT_EQ(ShownSerial(aggregator_.port()), SerialOf("server/agg_localhost.crt"));
}

// A site that runs, with a certificate that is replaced under its feet.
class RenewingSite : public Lifecycle {
 protected:
  std::unique_ptr<Link> MakeLink() {
    auto options = federation_.LinkOptions("ann", aggregator_.port());
    options.renewed = [this] {
      return ++asked_ > not_before_ ? std::exchange(renewed_, std::nullopt) : std::nullopt;
    };
    return collaborator::MakeGrpcLink(std::move(options),
                                      federation_.pki.CollaboratorBundle("ann"));
  }
  void RenewAndRevokeTheOld() {
    const std::string old = SerialOf("client/col_ann.crt");
    federation_.pki.AddCollaborator("ann");
    renewed_ = federation_.pki.CollaboratorBundle("ann");
    Must(federation_.pki.authority().Revoke({old}, {}, UnixNow()));
    watch_.Look();
  }

  int asked_ = 0;
  int not_before_ = 0;  // there is nothing renewed when it is asked so often
  std::optional<PemBundle> renewed_;
};

TEST_F(RenewingSite, ShowsItsNewCertificateWithoutARestart) {
  const auto link = MakeLink();
  EXPECT_THAT(link->GetTasks(), IsOk());
  RenewAndRevokeTheOld();
  EXPECT_THAT(link->GetTasks(), IsOk());
}

TEST_F(RenewingSite, GoesOnWithTheNewOneIfTheOldIsRefused) {
  const auto link = MakeLink();
  EXPECT_THAT(link->GetTasks(), IsOk());
  RenewAndRevokeTheOld();
  not_before_ = asked_ + 1;
  EXPECT_THAT(link->GetTasks(), IsOk());
  EXPECT_EQ(asked_, not_before_ + 2);  // after the refusal, and before the next attempt
}

TEST_F(RenewingSite, EndsIfTheOldIsRefusedAndThereIsNoOther) {
  const auto link = MakeLink();
  RenewAndRevokeTheOld();
  not_before_ = 1'000;
  EXPECT_THAT(link->GetTasks(), IsError(ErrorCode::kUnauthenticated, "was revoked"));
}

TEST_F(Lifecycle, ASiteAddedToTheListTakesPartWithoutARestart) {
  federation_.pki.AddCollaborator("zoe");
  EXPECT_EQ(AskAs(Open("zoe"), "zoe").error_code(), StatusCode::PERMISSION_DENIED);
  Must(AtomicWrite(cols_, "collaborators: [ann, bob, zoe]\n"));
  watch_.Look();
  int sent_by_zoe = 0;
  std::vector<std::jthread> sites;
  for (const std::string name : {"ann", "bob", "zoe"}) {
    sites.emplace_back([&, name] {
      EXPECT_THAT(Collaborate(federation_, name, aggregator_.port(),
                              [&] { sent_by_zoe += name == "zoe" ? 1 : 0; }),
                  IsOk());
    });
  }
  sites.clear();
  EXPECT_THAT(aggregator_.Wait(), IsOkAndHolds(aggregator::Outcome::kFinished));
  EXPECT_EQ(sent_by_zoe, 4);  // three tasks of round 1, and the judging of the last model
}

TEST_F(Lifecycle, ASiteThatNoGroupOfAStaticPlanNamesIsNotLetIn) {
  federation_.pki.AddCollaborator("zoe");
  Plan plan = federation_.plan;
  plan.assigner = AssignerType::kStaticGrouped;
  plan.task_groups[0].collaborators = plan.authorized;
  Watch watch(plan, {.cols = cols_, .cert_folder = federation_.pki.cert_folder()}, std::nullopt,
              aggregator_.runtime());
  Must(AtomicWrite(cols_, "collaborators: [ann, bob, zoe]\n"));
  watch.Look();
  EXPECT_EQ(AskAs(Open("zoe"), "zoe").error_code(), StatusCode::PERMISSION_DENIED);
}

TEST_F(Lifecycle, ASiteTakenOffTheListIsSentAwayAndNoRoundWaitsForIt) {
  const auto ann = Open("ann");
  ExpectServed(AskAs(ann, "ann"));
  Must(AtomicWrite(cols_, "collaborators: [bob]\n"));
  watch_.Look();
  ExpectServed(AskAs(ann, "ann"));  // the file may be half written
  watch_.Look();
  const grpc::Status status = AskAs(ann, "ann");
  EXPECT_EQ(status.error_code(), StatusCode::PERMISSION_DENIED) << status.error_message();
  EXPECT_THAT(Collaborate(federation_, "bob", aggregator_.port(), [] {}), IsOk());
  EXPECT_THAT(aggregator_.Wait(), IsOkAndHolds(aggregator::Outcome::kFinished));
}

TEST_F(Lifecycle, AListThatWasHalfWrittenThrowsNobodyOut) {
  Must(AtomicWrite(cols_, "collaborators: [ann]\n"));
  watch_.Look();
  Must(AtomicWrite(cols_, "collaborators: [ann, bob]\n"));
  watch_.Look();
  watch_.Look();
  ExpectServed(AskAs(Open("bob"), "bob"));
}

TEST_F(Lifecycle, AListOfNobodyChangesNothing) {
  Must(AtomicWrite(cols_, "collaborators:\n"));
  watch_.Look();
  watch_.Look();
  ExpectServed(AskAs(Open("ann"), "ann"));
  EXPECT_THAT(watch_.ReadMembers(),
              IsError(ErrorCode::kFailedPrecondition, "lists nobody who can take part"));
}

TEST_F(Lifecycle, AListIsReadAtOnceForWhoAsks) {
  Must(AtomicWrite(cols_, "collaborators: [bob]\n"));
  EXPECT_THAT(watch_.ReadMembers(), IsOkAndHolds(testing::ElementsAre(CollaboratorName{"bob"})));
  EXPECT_EQ(AskAs(Open("ann"), "ann").error_code(), StatusCode::PERMISSION_DENIED);
}

TEST_F(Lifecycle, AListOfNamesThatCannotBeReadChangesNothing) {
  Must(AtomicWrite(cols_, "collaborators: {"));
  watch_.Look();
  ExpectServed(AskAs(Open("ann"), "ann"));
}

TEST_F(Lifecycle, ACertificateMeantForServersIsRefusedAsAClient) {
  federation_.pki.AddAggregator("ann");
  const grpc::Status status =
      Ask(Connect(federation_.pki.AggregatorBundle("ann"), aggregator_.port()),
          HeaderOf(federation_, "ann"));
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE) << status.error_message();
}

// The second half of the update arrives after the revocation, on the same connection.
TEST(LifecycleOfAnUpload, EndsInTheMiddleWhenItsSenderIsRevoked) {
  const TestFederation federation({"ann"}, 150'000);
  RunningAggregator aggregator(federation.Options());
  FaultProxy proxy(aggregator.port());
  const std::uint64_t size = MapModelFile(ParameterLayout(federation.plan.task_runner)).size;
  const Certificate certificate =
      Must(Certificate::Load(federation.pki.cert_folder() / "client/col_ann.crt"));
  const std::jthread administrator([&] {
    proxy.WaitForFaults(1);
    aggregator.runtime().Revoke(
        Must(federation.pki.authority().Revoke({certificate.Serial()}, {}, UnixNow())));
    proxy.Release();
  });
  const Status done =
      Collaborate(federation, {.name = "ann",
                               .port = proxy.port(),
                               .times = {},
                               .before =
                                   [&](const std::string& step) {
                                     if (step == "send train")
                                       proxy.Play({MuteAfter(Direction::kUp, size / 2)});
                                   },
                               .after = {}});
  EXPECT_THAT(done, IsError(ErrorCode::kUnauthenticated, "was revoked"));
  EXPECT_EQ(proxy.connections(), 1U);
}

// What OpenSSL's client finds at the port.
class Tls : public testing::Test {
 protected:
  std::string Connect(const std::string& options) const {
    return RunCommand("openssl s_client -connect localhost:" + std::to_string(aggregator_->port()) +
                      " -alpn h2 " + options + " </dev/null 2>&1")
        .output;
  }
  void Serve(aggregator::RuntimeOptions options) {
    aggregator_ = std::make_unique<RunningAggregator>(std::move(options));
  }

  TestFederation federation_;
  std::unique_ptr<RunningAggregator> aggregator_;
};

TEST_F(Tls, OfOurCertificatesIs13Only) {
  Serve(federation_.Options());
  EXPECT_THAT(Connect("-tls1_3"),
              AllOf(HasSubstr("New, TLSv1.3, Cipher is TLS_AES_"), HasSubstr("Compression: NONE")));
  for (const char* older : {"-tls1_2", "-tls1_1", "-tls1"}) {
    EXPECT_THAT(Connect(older), HasSubstr("Cipher is (NONE)")) << older;
  }
}

TEST_F(Tls, OfRsaCertificatesIs12WithAeadAtLeast) {
  TestPki rsa(KeyKind::kRsa3072);
  rsa.AddAggregator("localhost", {.key = KeyKind::kRsa3072});
  auto options = federation_.Options();
  options.credentials = rsa.AggregatorBundle("localhost");
  Serve(std::move(options));
  EXPECT_THAT(Connect("-tls1_3"), HasSubstr("New, TLSv1.3, Cipher is TLS_AES_"));
  EXPECT_THAT(Connect("-tls1_2 -cipher ALL:@SECLEVEL=0"),
              testing::ContainsRegex("Cipher is ECDHE-RSA-AES(128|256)-GCM-SHA"));
  EXPECT_THAT(Connect("-tls1_2 -cipher ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA:AES256-SHA:"
                      "AES256-GCM-SHA384"),
              HasSubstr("Cipher is (NONE)"));
  EXPECT_THAT(Connect("-tls1_1 -cipher ALL:@SECLEVEL=0"), HasSubstr("Cipher is (NONE)"));
  EXPECT_THAT(Connect("-tls1_2"), HasSubstr("Compression: NONE"));
}

}  // namespace
}  // namespace fx::test
