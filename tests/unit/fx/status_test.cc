// What is shown of folders made by hand; tests/e2e/kill_matrix.sh asks about real processes.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aggregator/state_folder.h"
#include "collaborator/local_store.h"
#include "core/tensor/model_file.h"
#include "fx/aggregator/admin_socket.h"
#include "pki/certificate_authority.h"
#include "plan/load.h"
#include "plan/model_layout.h"
#include "rpc/pbuf.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using aggregator::BestModelChosen;
using aggregator::DeadlineSet;
using aggregator::FederationFinished;
using aggregator::ModelCommitted;
using aggregator::Record;
using aggregator::ResultAccepted;
using aggregator::RoundClosed;
using aggregator::RoundOpened;
using aggregator::SiteFailed;
using aggregator::StateFolder;
using collaborator::FinishedTask;
using collaborator::LocalStore;
using nlohmann::json;
using test::IsOk;
using test::Must;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// In a workspace whose plan has two rounds and a last judging.
class StatusVerb : public test::VerbTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(Run({"workspace", "create", "--prefix", "WS", "--template", "cnn_mnist"}),
              ExitCode::kDone);
    std::filesystem::current_path("WS");
    std::string text = Must(ReadFile("plan/plan.yaml"));
    text.replace(text.find("rounds_to_train: 10"), 19, "rounds_to_train: 2");
    ASSERT_THAT(AtomicWrite("plan/plan.yaml", text), IsOk());
    ASSERT_THAT(AtomicWrite("plan/cols.yaml", "collaborators: [ann, bob]\n"), IsOk());
    plan_ = Must(LoadPlan("plan/plan.yaml", "plan/cols.yaml"));
  }

  StateFolder OpenAggregator() const {
    return Must(StateFolder::Open(aggregator::StatePath(".", plan_), plan_));
  }
  // An aggregator that has decided these and is gone.
  void Decide(const std::vector<Record>& records) const {
    StateFolder state = OpenAggregator();
    ASSERT_THAT(state.journal.Append(TimeMs{7}, records), IsOk());
  }
  LocalStore OpenSite(const std::string& name) const {
    return Must(LocalStore::Open(collaborator::StatePath(".", {name}, plan_)));
  }

  std::string Text() {
    EXPECT_EQ(Run({"status"}), ExitCode::kDone) << err();
    return out();
  }
  json Json() {
    EXPECT_EQ(Run({"status", "--json"}), ExitCode::kDone) << err();
    return json::parse(out());
  }

  Plan plan_;
};

Record Open(std::uint32_t round) {
  return RoundOpened{
      .round = Round{round},
      .model = {"m" + std::to_string(round)},
      .assignments = {{{"ann"}, {{"judge"}, {"train"}}}, {{"bob"}, {{"judge"}, {"train"}}}}};
}

Record Accept(const char* who, const char* task) {
  return ResultAccepted{
      .who = {who}, .task = {task}, .update = {}, .num_samples = 1, .metrics = {}};
}

FinishedTask Finished(std::uint32_t round, const char* task, std::uint64_t sequence) {
  FinishedTask finished;
  finished.round = Round{round};
  finished.task = {task};
  finished.model = {"m"};
  finished.sequence = sequence;
  return finished;
}

Record CloseWithout(std::set<CollaboratorName> stragglers) {
  return RoundClosed{.stragglers = std::move(stragglers), .metrics = {}};
}

TEST_F(StatusVerb, SaysThatThereIsNoFederation) {
  EXPECT_EQ(Run({"status"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("neither the aggregator nor a collaborator of federation " +
                               plan_.federation_uuid + " was ever started in this workspace"));
}

TEST_F(StatusVerb, SaysThatThereIsNoWorkspace) {
  std::filesystem::current_path(folder());
  EXPECT_EQ(Run({"status"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("there is no federation here: plan/plan.yaml does not exist"));
}

TEST_F(StatusVerb, KnowsAFederationThatHasDecidedNothing) {
  Decide({});
  EXPECT_THAT(Text(), HasSubstr("Aggregator: not running; fx aggregator start goes on from here\n"
                                "No round has been opened yet\n"));
  EXPECT_EQ(Json()["aggregator"]["phase"], "not begun");
  EXPECT_TRUE(Json()["aggregator"]["round"].is_null());
}

TEST_F(StatusVerb, SaysWhoCannotDoItsPartAndWhy) {
  Decide({Open(0), Accept("ann", "judge"),
          SiteFailed{.who = {"ann"}, .task = {"train"}, .reason = "the loss is not finite"}});
  EXPECT_THAT(Text(), HasSubstr("  ann: has delivered judge; train failed: the loss is not finite\n"
                                "  bob: owes judge, train\n"));
  const json ann = Json()["aggregator"]["collaborators"][0];
  EXPECT_EQ(ann["owes"], json::array());
  EXPECT_EQ(ann["failure"], "train failed: the loss is not finite");
}

TEST_F(StatusVerb, SaysWhoOwesWhat) {
  Decide({Open(0), Accept("ann", "judge"), Accept("bob", "judge"), Accept("bob", "train")});
  EXPECT_THAT(Text(), StartsWith("Federation " + plan_.federation_uuid +
                                 "\n"
                                 "Aggregator: not running; fx aggregator start goes on from here\n"
                                 "Round 0 of 0 to 2: collecting results\n"
                                 "  ann: has delivered judge; owes train\n"
                                 "  bob: has delivered judge, train\n"));
  const json said = Json()["aggregator"];
  EXPECT_EQ(said["phase"], "collecting");
  EXPECT_EQ(said["round"], 0);
  EXPECT_EQ(said["rounds"], 3);
  EXPECT_EQ(said["changed_ms"], 7);
  EXPECT_EQ(said["collaborators"][0],
            json::parse(R"({"name": "ann", "delivered": ["judge"], "owes": ["train"], "failure": "",
                              "late": false})"));
}

TEST_F(StatusVerb, NamesStragglersWhoOweNothingAnyMore) {
  Decide({Open(0), Accept("ann", "judge"), Accept("ann", "train"), CloseWithout({{"bob"}})});
  EXPECT_THAT(Text(), HasSubstr("Round 0 of 0 to 2: closed, and being aggregated\n"
                                "  ann: has delivered judge, train\n"
                                "  bob: was left out\n"
                                "Round 0 was closed without bob\n"));
  EXPECT_EQ(Json()["aggregator"]["stragglers"], json::parse(R"([{"round": 0, "names": ["bob"]}])"));
}

TEST_F(StatusVerb, SaysWhichModelsThereAreAndWhetherTheyAreSavedYet) {
  ASSERT_THAT(MakeFolders("save"), IsOk());
  Model model;
  model.push_back({.name = "w", .tensor = Tensor(Shape{1})});
  ASSERT_THAT(WritePbuf(plan_.aggregator.best_state_path, model, 1), IsOk());
  ASSERT_THAT(WritePbuf(plan_.aggregator.last_state_path, model, 1), IsOk());
  ResultAccepted trained{
      .who = {"ann"}, .task = {"train"}, .update = {"u"}, .num_samples = 1, .metrics = {}};
  const BestModelChosen best{
      .round = Round{1}, .model = {"m1"}, .metric = "accuracy", .score = 0.75};
  Decide({Open(0), CloseWithout({}), ModelCommitted{{"m1"}}, Open(1), trained, CloseWithout({}),
          best, ModelCommitted{{"m2"}}, FederationFinished{}});
  EXPECT_THAT(Text(),
              HasSubstr("Aggregator: not running\n"
                        "The federation is over: rounds 0 to 2 are done\n"
                        "Best model: the one of round 1, accuracy 0.7500, in save/best.pbuf\n"
                        "Last model: aggregated in round 1, not yet in save/last.pbuf"));
  const json said = Json()["aggregator"];
  EXPECT_EQ(said["best"], json::parse(R"({"round": 1, "model": "m1", "file": "save/best.pbuf",
                                          "saved": true, "metric": "accuracy", "score": 0.75})"));
  EXPECT_EQ(said["last"]["saved"], false);
}

TEST_F(StatusVerb, ReadsWhatARunningAggregatorIsWriting) {
  StateFolder running = OpenAggregator();
  ASSERT_THAT(running.journal.Append(TimeMs{1}, std::vector<Record>{Open(0)}), IsOk());
  EXPECT_THAT(Text(), HasSubstr("Aggregator: running\nRound 0 of 0 to 2"));
  ASSERT_THAT(running.journal.Append(TimeMs{2}, std::vector<Record>{Accept("ann", "judge")}),
              IsOk());
  EXPECT_THAT(Text(), HasSubstr("ann: has delivered judge; owes train"));
  EXPECT_EQ(Json()["aggregator"]["running"], true);
}

TEST_F(StatusVerb, MakesNoFileBesideAJournalThatWasClosed) {
  Decide({Open(0)});
  const Path state = aggregator::StatePath(".", plan_);
  const auto before = Must(ListFolder(state));
  Text();
  EXPECT_EQ(Must(ListFolder(state)), before);
}

TEST_F(StatusVerb, RefusesTheJournalOfAnotherPlan) {
  Decide({Open(0)});
  plan_.digest = "0123";
  ASSERT_THAT(RemoveIfExists(aggregator::StatePath(".", plan_) / "journal.db"), IsOk());
  Decide({Open(0)});
  EXPECT_EQ(Run({"status"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("its plan_digest is 0123, expected"));
}

TEST_F(StatusVerb, SaysWhatASiteHasFinishedAndWhatIsStillToBeSent) {
  {
    LocalStore store = OpenSite("ann");
    Must(store.Add(Finished(4, "train", 9), nullptr, nullptr));
    ASSERT_THAT(store.MarkClosed(Round{4}), IsOk());
    Must(store.Add(Finished(5, "train", 11), nullptr, nullptr));
    const FinishedTask judged = Must(store.Add(Finished(5, "judge", 10), nullptr, nullptr));
    ASSERT_THAT(store.MarkSent(judged), IsOk());
    EXPECT_THAT(Text(), HasSubstr("Site ann: running\n"
                                  "  done with round 4\n"
                                  "  round 5: has finished judge, which the aggregator has\n"
                                  "  round 5: has finished train, still to be sent\n"));
    EXPECT_THAT(Text(), Not(HasSubstr("Aggregator")));
  }
  EXPECT_EQ(Json()["sites"], json::parse(R"([{"name": "ann", "running": false, "closed_round": 4,
      "finished": [{"round": 5, "task": "judge", "sent": true},
                   {"round": 5, "task": "train", "sent": false}]}])"));
}

// A certificate of `name`, which ends after so many days, as its own site or its authority has it.
void Certify(const CertificateAuthority& authority, const std::string& name, std::int64_t days) {
  const Identity identity = Must(Identity::Collaborator(name));
  const PrivateKey key = Must(PrivateKey::Generate());
  const SigningRequest request = Must(SigningRequest::Create(key, identity));
  const std::int64_t now = UnixNow();
  const Validity validity{.from = now - 3600, .to = now + days * 24 * 3600 + 600};
  const Certificate certificate = Must(authority.Sign(request, name, identity, validity));
  Must(MakeFolders("cert/client"));
  Must(AtomicWrite(identity.File("cert", ".crt"), certificate.ToPem()));
}

TEST_F(StatusVerb, WarnsOfCertificatesThatEndWithinAMonth) {
  Decide({Open(0)});
  const auto authority = Must(CertificateAuthority::Create("cert"));
  Certify(authority, "ann", 12);
  Certify(authority, "bob", 31);
  Certify(authority, "zoe", 1);  // takes no part
  EXPECT_THAT(Text(), HasSubstr("Warning: cert/client/col_ann.crt: the certificate of ann expires "
                                "in 12 days, on "));
  EXPECT_THAT(Text(), AllOf(Not(HasSubstr("of bob")), Not(HasSubstr("of zoe"))));
  EXPECT_EQ(Json()["warnings"].size(), 1U);
}

TEST_F(StatusVerb, KnowsASiteThatHasDoneNothing) {
  OpenSite("ann");
  EXPECT_THAT(Text(), HasSubstr("Site ann: not running\n  not done with any round yet\n"));
}

TEST_F(StatusVerb, SaysTheHoursOfASiteThatHasAny) {
  OpenSite("ann");
  EXPECT_TRUE(Json()["hours"].is_null());
  ASSERT_THAT(AtomicWrite("site.yaml", "hours: 00:00-23:59\n"), IsOk());
  EXPECT_THAT(Text(), HasSubstr("Hours of this site: 00:00-23:59; it "));
  EXPECT_EQ(Json()["hours"]["hours"], "00:00-23:59");
  EXPECT_TRUE(Json()["hours"]["open"].is_boolean());
}

TEST_F(StatusVerb, SaysWhenASiteWasHeardOfAndWhatItSent) {
  Decide({Open(0),
          ResultAccepted{
              .who = {"ann"}, .task = {"train"}, .update = {"u"}, .num_samples = 1, .metrics = {}},
          ResultAccepted{
              .who = {"ann"}, .task = {"judge"}, .update = {}, .num_samples = 1, .metrics = {}}});
  const json contacts = Json().at("aggregator").at("contacts");
  ASSERT_EQ(contacts.size(), 1U);
  EXPECT_EQ(contacts[0].at("name"), "ann");
  EXPECT_EQ(contacts[0].at("results"), 2);
  EXPECT_EQ(contacts[0].at("last_ms"), 7);
  EXPECT_EQ(contacts[0].at("update_bytes"), MapModelFile(ModelLayout(plan_)).size);
  EXPECT_THAT(Text(), HasSubstr("Heard of ann: 2 results, "));
}

TEST_F(StatusVerb, WatchEndsWithTheFederation) {
  Decide({Open(0), CloseWithout({}), ModelCommitted{{"m1"}}, FederationFinished{}});
  EXPECT_EQ(Run({"status", "--watch"}), ExitCode::kDone) << err();
  EXPECT_THAT(out(), HasSubstr("The federation is over"));
}

// By what the aggregator that runs says.
TEST_F(StatusVerb, SaysWhoIsThere) {
  Decide({Open(0), DeadlineSet{TimeMs{8}}});
  EXPECT_TRUE(Json()["aggregator"]["presence"].is_null());
  const StateFolder state = OpenAggregator();
  EXPECT_TRUE(Json()["aggregator"]["presence"].is_null());  // it does not answer
  std::string there = "present 60000 ann\n";
  LastWord last_word;
  const auto socket = Must(AdminSocket::Open(
      aggregator::StatePath(".", plan_),
      [&](const std::string&) -> Result<std::string> { return there; }, last_word));
  EXPECT_THAT(Text(), AllOf(HasSubstr("ann: present, last call at 1970-01-01 00:01 UTC\n"),
                            HasSubstr("bob: not heard of since the aggregator was started\n"),
                            HasSubstr("  ann: owes judge, train; is late\n")));
  there += "gone 120000 bob\n";
  EXPECT_THAT(Text(), HasSubstr("bob: gone since 1970-01-01 00:02 UTC\n"));
  const json presence = json::parse(R"([{"name": "ann", "present": true, "last_ms": 60000},
                                        {"name": "bob", "present": false, "last_ms": 120000}])");
  const json aggregator = Json()["aggregator"];
  EXPECT_EQ(aggregator["presence"], presence);
  EXPECT_EQ(aggregator["collaborators"][0]["late"], true);
}

// Both verbs without an aggregator: the list of collaborators is theirs to change all the same.
TEST_F(StatusVerb, ListsOfCollaboratorsChangeWithoutAnAggregator) {
  EXPECT_EQ(Run({"aggregator", "add", "-n", "zoe"}), ExitCode::kDone) << err();
  EXPECT_THAT(err(), HasSubstr("zoe is added to plan/cols.yaml; no aggregator is running"));
  EXPECT_EQ(Run({"aggregator", "remove", "-n", "ann"}), ExitCode::kDone) << err();
  EXPECT_THAT(err(), HasSubstr("ann is removed from plan/cols.yaml; no aggregator is running"));
  EXPECT_EQ(Must(ReadFile("plan/cols.yaml")), "collaborators: [bob, zoe]\n");
  EXPECT_EQ(Run({"aggregator", "remove", "-n", "ann"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("ann is not in plan/cols.yaml, which lists bob, zoe"));
}

// A running aggregator looks at the file whenever it has changed: what is refused is never there.
TEST_F(StatusVerb, AListWithWhichThePlanWouldNotHoldIsNeverWritten) {
  std::string text = Must(ReadFile("plan/plan.yaml"));
  const std::string one = "minimum_reporting: 1";
  ASSERT_NE(text.find(one), std::string::npos);
  ASSERT_THAT(AtomicWrite("plan/plan.yaml",
                          text.replace(text.find(one), one.size(), "minimum_reporting: 2")),
              IsOk());
  // Another name of the file: what is written anew is another file.
  std::filesystem::create_hard_link("plan/cols.yaml", "same");
  EXPECT_EQ(Run({"aggregator", "remove", "-n", "ann"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("minimum_reporting is 2, but of the 1 collaborators"));
  EXPECT_EQ(Must(ReadFile("plan/cols.yaml")), "collaborators: [ann, bob]\n");
  EXPECT_TRUE(std::filesystem::equivalent("plan/cols.yaml", "same"));
}

TEST_F(StatusVerb, TheLastCollaboratorStays) {
  EXPECT_EQ(Run({"aggregator", "remove", "-n", "ann"}), ExitCode::kDone) << err();
  EXPECT_EQ(Run({"aggregator", "remove", "-n", "bob"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("bob is the only collaborator in plan/cols.yaml"));
  EXPECT_EQ(Must(ReadFile("plan/cols.yaml")), "collaborators: [bob]\n");
}

TEST_F(StatusVerb, NobodyRunsThatCouldBeAsked) {
  for (const std::string verb : {"status", "cut-off", "stop"}) {
    EXPECT_EQ(Run({"aggregator", verb}), ExitCode::kUnavailable);
    EXPECT_THAT(err(), HasSubstr("no aggregator is running"));
  }
}

}  // namespace
}  // namespace fx
