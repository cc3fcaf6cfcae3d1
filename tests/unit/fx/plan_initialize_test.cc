#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "plan/load.h"
#include "plan/model_layout.h"
#include "rpc/pbuf.h"
#include "tasks/task_runner.h"
#include "tests/support/matchers.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsOk;
using testing::HasSubstr;

class PlanInitialize : public test::VerbTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(Run({"workspace", "create", "--prefix", ".", "--template", "cnn_mnist"}),
              ExitCode::kDone)
        << err();
  }

  ExitCode Initialize(std::vector<std::string> options = {"-a", "agg.example.org"}) {
    options.insert(options.begin(), {"plan", "initialize"});
    return Run(options);
  }
  static std::string PlanText() { return ReadFile("plan/plan.yaml").value_or(""); }
  static Plan Loaded() {
    auto plan = LoadPlan("plan/plan.yaml", "plan/cols.yaml");
    EXPECT_THAT(plan, IsOk());
    return plan.value_or(Plan{});
  }
  static void Replace(const std::string& old, const std::string& fresh) {
    std::string text = PlanText();
    const std::size_t at = text.find(old);
    ASSERT_NE(at, std::string::npos) << old;
    ASSERT_THAT(AtomicWrite("plan/plan.yaml", text.replace(at, old.size(), fresh)), IsOk());
  }
};

TEST_F(PlanInitialize, WritesAddressAndPortIntoThePlanAndKeepsItsComments) {
  const std::string before = PlanText();
  ASSERT_EQ(Initialize(), ExitCode::kDone) << err();
  const Plan plan = Loaded();
  EXPECT_EQ(plan.network.agg_addr, "agg.example.org");
  EXPECT_GE(plan.network.agg_port, 49152);
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  const auto comments = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '#');
  };
  EXPECT_EQ(lines(PlanText()), lines(before));
  EXPECT_EQ(comments(PlanText()), comments(before));
}

TEST_F(PlanInitialize, WritesTheInitialModelOfThePlan) {
  ASSERT_EQ(Initialize(), ExitCode::kDone) << err();
  const auto saved = ReadPbuf("save/init.pbuf");
  ASSERT_THAT(saved, IsOk());
  EXPECT_EQ(saved->round, 0);
  EXPECT_THAT(CheckLayout(LayoutOf(saved->model), ParameterLayout(Loaded().task_runner)), IsOk());
}

TEST_F(PlanInitialize, PutsTheOptimizersStateIntoTheModelIfThatIsAveragedToo) {
  Replace("opt_treatment: RESET", "opt_treatment: CONTINUE_GLOBAL");
  ASSERT_EQ(Initialize(), ExitCode::kDone) << err();
  const auto saved = ReadPbuf("save/init.pbuf");
  ASSERT_THAT(saved, IsOk());
  EXPECT_THAT(CheckLayout(LayoutOf(saved->model), ModelLayout(Loaded())), IsOk());
  EXPECT_EQ(saved->model.back().name, "__opt_state_adam.step");
  EXPECT_THAT(out(), HasSubstr(" parameters and "));
  EXPECT_THAT(out(), HasSubstr(" of the optimizer's state in "));
}

TEST_F(PlanInitialize, PutsTheSumsOfControlVariatesIntoTheModelIfThereAreAny) {
  Replace("type: adam", "type: sgd");
  Replace("function: train\n", "function: train\n    aggregation_type: {template: SCAFFOLD}\n");
  ASSERT_EQ(Initialize(), ExitCode::kDone) << err();
  const auto saved = ReadPbuf("save/init.pbuf");
  ASSERT_THAT(saved, IsOk());
  EXPECT_THAT(CheckLayout(LayoutOf(saved->model), ModelLayout(Loaded())), IsOk());
  EXPECT_EQ(saved->model.back().name, "__control_samples");
  EXPECT_THAT(out(), HasSubstr(" of sums over sites in "));
}

TEST_F(PlanInitialize, PrintsThePlansHashAndTheFederation) {
  ASSERT_EQ(Initialize(), ExitCode::kDone) << err();
  EXPECT_THAT(out(), HasSubstr(Loaded().digest));
  EXPECT_THAT(out(), HasSubstr(Loaded().federation_uuid));
}

TEST_F(PlanInitialize, ChangesNothingTheSecondTime) {
  ASSERT_EQ(Initialize(), ExitCode::kDone) << err();
  const std::string plan = PlanText();
  const std::string model = ReadFile("save/init.pbuf").value_or("");
  ASSERT_EQ(Initialize({}), ExitCode::kDone) << err();
  EXPECT_EQ(PlanText(), plan);
  EXPECT_EQ(ReadFile("save/init.pbuf"), model);
}

TEST_F(PlanInitialize, ReplacesTheAddressWhenOneIsGiven) {
  ASSERT_EQ(Initialize(), ExitCode::kDone) << err();
  ASSERT_EQ(Initialize({"-a", "Other.Example.ORG"}), ExitCode::kDone) << err();
  EXPECT_EQ(Loaded().network.agg_addr, "other.example.org");
}

TEST_F(PlanInitialize, TakesThisMachinesNameWhenThePlanHasNone) {
  ASSERT_EQ(setenv("FQDN", "here.example.org", 1), 0);
  ASSERT_EQ(Initialize({}), ExitCode::kDone) << err();
  unsetenv("FQDN");
  EXPECT_EQ(Loaded().network.agg_addr, "here.example.org");
}

TEST_F(PlanInitialize, TakesOpenFlsOptions) {
  EXPECT_EQ(Initialize({"-p", "plan/plan.yaml", "-c", "plan/cols.yaml", "-d", "plan/data.yaml",
                        "--aggregator_address", "a.example.org", "-f", "[1,28,28]", "-r", "False"}),
            ExitCode::kDone)
      << err();
}

TEST_F(PlanInitialize, RefusesAnInputShapeThatIsNotThePlans) {
  EXPECT_EQ(Initialize({"-a", "a.example.org", "-f", "[3,32,32]"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("--input_shape is [3,32,32], but the network of plan/plan.yaml "
                               "takes [1, 28, 28]"));
  EXPECT_FALSE(Exists("save/init.pbuf"));
}

TEST_F(PlanInitialize, RefusesGandlf) {
  EXPECT_EQ(Initialize({"-g", "gandlf.yaml"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("GaNDLF configurations are not supported"));
}

TEST_F(PlanInitialize, RefusesAnAddressThatCannotBeAName) {
  EXPECT_EQ(Initialize({"-a", "agg example"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("agg example"));
  EXPECT_EQ(PlanText().find("agg example"), std::string::npos);
}

TEST_F(PlanInitialize, SaysWhatIsWrongWithThePlanAndChangesNothing) {
  Replace("rounds_to_train", "rounds_to_trian");
  const std::string before = PlanText();
  EXPECT_EQ(Initialize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("plan/plan.yaml:"));
  EXPECT_THAT(err(), HasSubstr("rounds_to_train"));
  EXPECT_EQ(PlanText(), before);
  EXPECT_FALSE(Exists("save/init.pbuf"));
}

TEST_F(PlanInitialize, RefusesOutsideAWorkspace) {
  ASSERT_THAT(RemoveIfExists(".workspace"), IsOk());
  EXPECT_EQ(Initialize(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("is not a workspace: it has no .workspace file"));
}

}  // namespace
}  // namespace fx
