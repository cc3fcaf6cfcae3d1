// fx plan freeze, print, set, save, switch and remove.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/base/digest.h"
#include "core/base/format.h"
#include "plan/load.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using nlohmann::json;
using test::IsOk;
using test::Must;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class PlanVerbs : public test::VerbTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(Run({"workspace", "create", "--prefix", ".", "--template", "cnn_mnist"}),
              ExitCode::kDone);
  }

  // fx plan with these words, which must succeed.
  void Do(std::vector<std::string> words) {
    words.insert(words.begin(), "plan");
    ASSERT_EQ(Run(words), ExitCode::kDone) << err();
  }
  // Where a plan that was in use and in no plan with a name is put.
  static Path UnsavedFile(const std::string& text) {
    return format("plan/plans/unsaved_{}.yaml", Sha384Hex(text).substr(0, 8));
  }
  ExitCode Refused(std::vector<std::string> words) {
    words.insert(words.begin(), "plan");
    return Run(words);
  }
  static std::string PlanText() { return Must(ReadFile("plan/plan.yaml")); }
  static Plan Loaded() { return Must(LoadPlan("plan/plan.yaml", "plan/cols.yaml")); }
  static std::string Marker() { return Must(ReadFile(".workspace")); }
  // What `fx plan print --json` says of a key.
  json Value(const std::string& key, std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"print", "--json"});
    Do(options);
    const json document = json::parse(out());
    for (const json& value : document.at("values")) {
      if (value.at("key") == key) return value;
    }
    return {};
  }
};

TEST_F(PlanVerbs, FreezeNamesAReadOnlyCopyByItsDigest) {
  Do({"initialize", "-a", "agg.example.org"});
  Do({"freeze"});
  const std::string frozen = "plan/plan_" + Loaded().digest.substr(0, 8) + ".yaml";
  EXPECT_THAT(out(), HasSubstr(frozen));
  EXPECT_EQ(Sha384Hex(Must(ReadFile(frozen))), Loaded().digest);
  struct stat info = {};
  ASSERT_EQ(stat(frozen.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0400U);
  Do({"freeze"});
}

TEST_F(PlanVerbs, FreezeRefusesWithoutAnInitialModel) {
  Do({"initialize", "-a", "agg.example.org"});
  ASSERT_THAT(RemoveIfExists("save/init.pbuf"), IsOk());
  EXPECT_EQ(Refused({"freeze"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("save/init.pbuf, the initial model, is missing"));
}

TEST_F(PlanVerbs, FreezeTakesAPlanOfAnotherName) {
  Do({"initialize", "-a", "agg.example.org"});
  ASSERT_THAT(AtomicWrite("plan/other.yaml", PlanText()), IsOk());
  Do({"freeze", "-p", "plan/other.yaml"});
  EXPECT_THAT(out(), HasSubstr("plan/other_" + Loaded().digest.substr(0, 8) + ".yaml"));
}

TEST_F(PlanVerbs, PrintShowsNameHashAndThePlanItIsTheHashOf) {
  Do({"print"});
  EXPECT_THAT(out(), StartsWith("# The current plan is: default\n"));
  EXPECT_THAT(out(), HasSubstr(Loaded().digest));
  const std::string shown = out();
  const std::size_t begin = shown.find("\naggregator:") + 1;
  const std::size_t end = shown.find("\n\n ✔️ OK") + 1;
  EXPECT_EQ(Sha384Hex(shown.substr(begin, end - begin)), Loaded().digest);
}

TEST_F(PlanVerbs, OriginNamesTheLineOfThePlan) {
  const std::string text = PlanText();
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(text.find("rounds_to_train"));
  const auto line = 1 + std::count(text.begin(), end, '\n');
  Do({"print", "--origin"});
  EXPECT_THAT(out(), testing::ContainsRegex("aggregator.settings.rounds_to_train: 10 +# plan "
                                            "plan/plan.yaml:" +
                                            std::to_string(line) + "\n"));
}

TEST_F(PlanVerbs, OriginNamesTheDefaultsFile) {
  ASSERT_THAT(MakeFolders("plan/defaults"), IsOk());
  ASSERT_THAT(AtomicWrite("plan/defaults/network.yaml", "settings:\n  hash_salt: grain\n"), IsOk());
  std::string text = PlanText();
  const std::string section = "network:\n";
  text.insert(text.find(section) + section.size(), "  defaults: plan/defaults/network.yaml\n");
  ASSERT_THAT(AtomicWrite("plan/plan.yaml", text), IsOk());
  const json value = Value("network.settings.hash_salt");
  EXPECT_EQ(value.at("value"), "grain");
  EXPECT_EQ(value.at("origin"), "defaults file");
  EXPECT_THAT(value.at("place"), testing::EndsWith("plan/defaults/network.yaml:2"));
}

TEST_F(PlanVerbs, OriginShowsBuiltInValues) {
  const json value = Value("aggregator.settings.durability");
  EXPECT_EQ(value.at("value"), "result");
  EXPECT_EQ(value.at("origin"), "built in");
}

TEST_F(PlanVerbs, OriginNamesTheEnvironmentThatDecidesTheAddress) {
  ASSERT_EQ(setenv("FQDN", "here.example.org", 1), 0);
  const json value = Value("network.settings.agg_addr");
  unsetenv("FQDN");
  EXPECT_EQ(value.at("value"), "here.example.org");
  EXPECT_EQ(value.at("origin"), "environment");
  EXPECT_EQ(value.at("place"), "FQDN");
}

TEST_F(PlanVerbs, OriginNamesTheFlagThatDecidesTheAddress) {
  const json value = Value("network.settings.agg_addr", {"-a", "there.example.org"});
  EXPECT_EQ(value.at("value"), "there.example.org");
  EXPECT_EQ(value.at("origin"), "flag");
  EXPECT_EQ(value.at("place"), "-a");
}

TEST_F(PlanVerbs, JsonHasEveryValueInItsOwnType) {
  EXPECT_EQ(Value("aggregator.settings.rounds_to_train").at("value"), 10);
  EXPECT_EQ(Value("network.settings.use_tls").at("value"), true);
  EXPECT_EQ(Value("task_runner.settings.layers[9].rate").at("value"), 0.25);
  EXPECT_EQ(Value("straggler_handling_policy.settings.straggler_cutoff_time").at("value"), ".inf");
  EXPECT_THAT(out(), Not(HasSubstr("OK")));
}

TEST_F(PlanVerbs, SetChangesOneValueAndKeepsEverythingElse) {
  std::string expected = PlanText();
  const std::string old = "rounds_to_train: 10 ";
  expected.replace(expected.find(old), old.size(), "rounds_to_train: 25 ");
  Do({"set", "aggregator.settings.rounds_to_train", "25"});
  EXPECT_EQ(PlanText(), expected);
  EXPECT_EQ(Loaded().aggregator.rounds_to_train, 25U);
  EXPECT_THAT(err(), HasSubstr(Loaded().digest));
}

TEST_F(PlanVerbs, SetAddsAKeyThatIsNotThere) {
  Do({"set", "aggregator.settings.durability", "round"});
  EXPECT_EQ(Loaded().aggregator.durability, Durability::kRound);
}

TEST_F(PlanVerbs, SetRefusesAValueThatThePlanCannotHave) {
  const std::string before = PlanText();
  EXPECT_EQ(Refused({"set", "aggregator.settings.rounds_to_train", "many"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("aggregator.settings.rounds_to_train is \"many\""));
  EXPECT_EQ(Refused({"set", "aggregator.settings.rounds_to_train", "-1"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("is -1, expected"));
  EXPECT_EQ(Refused({"set", "aggregator.settings.rounds", "5"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("aggregator.settings.rounds is unknown"));
  EXPECT_EQ(PlanText(), before);
}

TEST_F(PlanVerbs, SetRepairsAPlanThatHasOtherFaultsToo) {
  std::string text = PlanText();
  text.replace(text.find("rounds_to_train: 10"), 19, "rounds_to_train: no");
  text.replace(text.find("agg_port: auto"), 14, "agg_port: lost");
  ASSERT_THAT(AtomicWrite("plan/plan.yaml", text), IsOk());
  Do({"set", "aggregator.settings.rounds_to_train", "3"});
  EXPECT_THAT(err(), HasSubstr("network.settings.agg_port is \"lost\""));
  Do({"set", "network.settings.agg_port", "auto"});
  EXPECT_EQ(Loaded().aggregator.rounds_to_train, 3U);
}

TEST_F(PlanVerbs, SaveAndSwitchKeepTwoPlansApart) {
  const std::string first = PlanText();
  Do({"save"});
  Do({"set", "aggregator.settings.rounds_to_train", "25"});
  Do({"save", "-n", "long"});
  EXPECT_EQ(Must(ReadFile("plan/plans/long/plan.yaml")), PlanText());
  EXPECT_EQ(Marker(), "current_plan_name: long\ntemplate: cnn_mnist\n");
  Do({"switch"});
  EXPECT_EQ(PlanText(), first);
  EXPECT_EQ(Marker(), "current_plan_name: default\ntemplate: cnn_mnist\n");
  Do({"switch", "--name", "long"});
  EXPECT_EQ(Loaded().aggregator.rounds_to_train, 25U);
  Do({"print"});
  EXPECT_THAT(out(), StartsWith("# The current plan is: long\n"));
}

TEST_F(PlanVerbs, SwitchLosesNoEdits) {
  Do({"save"});
  Do({"set", "aggregator.settings.rounds_to_train", "25"});
  const std::string edited = PlanText();
  Do({"switch"});
  EXPECT_NE(PlanText(), edited);
  EXPECT_EQ(Must(ReadFile(UnsavedFile(edited))), edited);
  EXPECT_THAT(err(), HasSubstr(UnsavedFile(edited).string()));

  Do({"set", "aggregator.settings.rounds_to_train", "26"});
  Do({"switch"});
  EXPECT_EQ(Must(ReadFile(UnsavedFile(edited))), edited) << "the second edit replaced the first";
}

TEST_F(PlanVerbs, RemoveLosesNoEditsOfThePlanThatIsRemoved) {
  Do({"save"});
  Do({"save", "-n", "long"});
  Do({"set", "aggregator.settings.rounds_to_train", "25"});
  const std::string edited = PlanText();
  Do({"remove", "-n", "long"});
  EXPECT_NE(PlanText(), edited);
  EXPECT_FALSE(Exists("plan/plans/long"));
  EXPECT_EQ(Must(ReadFile(UnsavedFile(edited))), edited);
}

TEST_F(PlanVerbs, SwitchToAPlanThatIsNotThereListsThoseThatAre) {
  Do({"save", "-n", "long"});
  EXPECT_EQ(Refused({"switch", "-n", "lnog"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("no plan is kept as \"lnog\""));
  EXPECT_THAT(err(), HasSubstr("there are: long"));
}

TEST_F(PlanVerbs, RemoveForgetsAPlanAndGoesBackToTheDefaultOne) {
  Do({"save"});
  const std::string first = PlanText();
  Do({"set", "aggregator.settings.rounds_to_train", "25"});
  Do({"save", "-n", "long"});
  Do({"remove", "-n", "long"});
  EXPECT_FALSE(Exists("plan/plans/long"));
  EXPECT_EQ(PlanText(), first);
  EXPECT_THAT(Marker(), HasSubstr("current_plan_name: default\n"));
}

TEST_F(PlanVerbs, RemoveKeepsThePlanInUseIfThereIsNoDefaultOne) {
  Do({"save", "-n", "long"});
  const std::string text = PlanText();
  Do({"remove", "-n", "long"});
  EXPECT_EQ(PlanText(), text);
  EXPECT_THAT(Marker(), HasSubstr("current_plan_name: default\n"));
}

TEST_F(PlanVerbs, RemoveRefusesTheDefaultPlanAndThoseThatAreNotThere) {
  Do({"save"});
  EXPECT_EQ(Refused({"remove"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("cannot be removed"));
  EXPECT_TRUE(Exists("plan/plans/default/plan.yaml"));
  EXPECT_EQ(Refused({"remove", "-n", "long"}), ExitCode::kFailed);
}

TEST_F(PlanVerbs, NamesThatLeadElsewhereAreRefused) {
  for (const std::string name : {"../../../etc", "a/b", ".hidden", ""}) {
    EXPECT_EQ(Refused({"save", "-n", name}), ExitCode::kFailed) << name;
    EXPECT_THAT(err(), HasSubstr("cannot name a plan")) << name;
  }
}

TEST_F(PlanVerbs, ReadTheMarkerOpenFlWrites) {
  ASSERT_THAT(AtomicWrite(".workspace", "current_plan_name: default\n\n"), IsOk());
  Do({"save", "-n", "second"});
  EXPECT_EQ(Marker(), "current_plan_name: second\n\n");
}

}  // namespace
}  // namespace fx
