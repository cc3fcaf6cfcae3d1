// tasks.<name>.aggregation_type: what is read, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "aggregator/functions/registry.h"
#include "core/base/format.h"
#include "tests/unit/plan/plan_text.h"

namespace fx {
namespace {

using aggregator::AggregationFunctions;
using aggregator::FunctionRow;
using aggregator::Setting;
using test::After;
using test::PlanText;

struct With : PlanText {
  explicit With(const std::string& aggregation_type) {
    Replace("function: train\n",
            "function: train\n    aggregation_type: " + aggregation_type + "\n");
  }
  With& WithoutMomentum() {
    Replace("      momentum: 0.9\n", "");
    return *this;
  }
};

AggregationSpec Read(const std::string& aggregation_type) {
  const Result<Plan> plan = With(aggregation_type).WithoutMomentum().Load();
  EXPECT_TRUE(plan) << plan.error().message();
  return plan ? plan->tasks.at({"train"}).aggregation_type : AggregationSpec{};
}

TEST(AggregationType, IsTheWeightedAverageIfThePlanSaysNothing) {
  const Result<Plan> plan = PlanText().Load();
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->tasks.at({"train"}).aggregation_type, AggregationSpec{});
}

TEST(AggregationType, OfEveryRowOfTheTableCanBeNamedAndHasItsDefaults) {
  for (const FunctionRow& row : AggregationFunctions()) {
    const AggregationSpec spec = Read(format("{{template: {}}}", row.name));
    EXPECT_EQ(spec.function, row.name);
    EXPECT_EQ(spec.control_variates, row.control_variates);
    EXPECT_EQ(spec.curvature, row.curvature);
    ASSERT_EQ(spec.settings.size(), row.settings.size()) << row.name;
    for (const Setting& setting : row.settings) {
      EXPECT_EQ(spec.settings.at(std::string(setting.name)), setting.fallback);
    }
    if (!row.alias.empty()) {
      EXPECT_EQ(Read(format("{{template: openfl.interface.aggregation_functions.{}}}", row.alias)),
                spec);
    }
  }
}

TEST(AggregationType, HasTheSettingsOfThePlan) {
  EXPECT_EQ(Read("{template: TrimmedMean, settings: {trim: 0.25}}"),
            (AggregationSpec{.function = "TrimmedMean", .settings = {{"trim", 0.25}}}));
}

TEST(AggregationType, MayBeNamedByOpenFLsClassPath) {
  EXPECT_EQ(Read("{template: openfl.interface.aggregation_functions.Median}").function, "Median");
}

TEST(AggregationType, ThatIsUnknownIsRefusedWithTheNearestName) {
  EXPECT_EQ(With("{template: TrimedMean}").Complaints(),
            "plan.yaml:82: tasks.train.aggregation_type.template is \"TrimedMean\", did you mean "
            "TrimmedMean?");
  EXPECT_NE(With("{template: src.mine.Mean}").Complaints().find("Python classes cannot be run"),
            std::string::npos);
}

TEST(AggregationType, SettingsOutOfRangeOrUnknownAreRefused) {
  EXPECT_EQ(With("{template: TrimmedMean, settings: {trim: 0.5}}").Complaints(),
            "plan.yaml:82: tasks.train.aggregation_type.settings.trim is 0.5, expected at least 0, "
            "less than 0.5");
  EXPECT_EQ(With("{template: Krum, settings: {attackers: 0.5}}").Complaints(),
            "plan.yaml:82: tasks.train.aggregation_type.settings.attackers is 0.5, expected a "
            "whole number from 0 to 100000");
  EXPECT_EQ(
      With("{template: Median, settings: {trim: 0.1}}").Complaints(),
      "plan.yaml:82: tasks.train.aggregation_type.settings.trim is unknown, expected nothing here");
}

TEST(AggregationType, ThatNeedsMoreSitesThanThereAreIsRefused) {
  const std::string krum = "{template: Krum, settings: {attackers: 1}}";
  EXPECT_EQ(With(krum).Cols("collaborators: [a, b, c, d]").ComplaintsToRun(),
            "plan.yaml:82: tasks.train.aggregation_type: Krum with these settings needs 5 sites, "
            "but of the 4 in cols.yaml a round waits for 4; expected more sites, a greater "
            "fraction or fewer attackers");
  EXPECT_EQ(With(krum).Cols("collaborators: [a, b, c, d, e]").ComplaintsToRun(), "");
  With sampled(krum);
  sampled.Replace("    task_groups:\n", "    fraction: 0.5\n    task_groups:\n");
  EXPECT_NE(sampled.Cols("collaborators: [a, b, c, d, e, f]")
                .ComplaintsToRun()
                .find("of the 6 in cols.yaml a round waits for 3"),
            std::string::npos);
  EXPECT_EQ(With(krum).Cols("collaborators: [a]").Complaints(), "") << "a site's list is not whole";
  EXPECT_EQ(With(krum).Cols("collaborators: []").ComplaintsToRun(), "") << "nobody has joined yet";
}

TEST(AggregationType, ThatCountsStepsIsRefusedForPythonClasses) {
  With plan("{template: FedNova}");
  EXPECT_EQ(plan.Complaints(), "");
  plan.Replace("template: IdxDataLoader", "template: src.loader.Mine");
  EXPECT_EQ(plan.Complaints(),
            "plan.yaml:82: tasks.train.aggregation_type: FedNova has to know how many steps a "
            "site takes, which a Python class does not tell; expected another function");
}

const std::string kScaffold = "{template: SCAFFOLD}";

// Replaces a piece of a plan with SCAFFOLD that is fine.
std::string ScaffoldAfter(std::string_view old_text, std::string_view new_text) {
  With plan(kScaffold);
  plan.WithoutMomentum().Replace(old_text, new_text);
  return plan.Complaints();
}

TEST(AggregationType, WithControlVariatesIsForGradientDescentWithoutMomentum) {
  const std::string complaint =
      "plan.yaml:81: tasks.train.aggregation_type: SCAFFOLD takes the way of a site for its "
      "gradients, which it is with sgd without momentum only; expected such an optimizer";
  EXPECT_EQ(ScaffoldAfter("type: sgd", "type: adam"), complaint);
  EXPECT_EQ(ScaffoldAfter("type: sgd", "type: sgd "), "");
  EXPECT_NE(With(kScaffold).Complaints().find("with sgd without momentum only"), std::string::npos);
}

TEST(AggregationType, WithControlVariatesStandsForAProximalTerm) {
  EXPECT_EQ(ScaffoldAfter("type: sgd\n", "type: sgd\n      proximal: 0.1\n"),
            "plan.yaml:82: tasks.train.aggregation_type: SCAFFOLD corrects how far sites drift "
            "apart, and so does the optimizer's proximal: 0.1; expected one of the two");
}

TEST(AggregationType, WithControlVariatesHasNoStateToShare) {
  EXPECT_EQ(ScaffoldAfter("opt_treatment: RESET ", "opt_treatment: CONTINUE_GLOBAL "),
            "plan.yaml:81: tasks.train.aggregation_type: SCAFFOLD is for sgd without momentum, "
            "which has no state to share; expected opt_treatment: RESET instead of "
            "CONTINUE_GLOBAL");
  EXPECT_EQ(ScaffoldAfter("opt_treatment: RESET ", "opt_treatment: CONTINUE_LOCAL "), "");
}

TEST(AggregationType, WithControlVariatesIsNotForPythonClasses) {
  EXPECT_EQ(ScaffoldAfter("template: IdxDataLoader", "template: src.loader.Mine"),
            "plan.yaml:81: tasks.train.aggregation_type: SCAFFOLD has sites correct their "
            "gradients, which a Python class does not; expected another function");
}

TEST(AggregationType, WithControlVariatesIsForOneTaskThatTrains) {
  With plan(kScaffold);
  plan.WithoutMomentum()
      .Replace("tasks:\n  aggregated_model",
               "tasks:\n  more: {function: train, aggregation_type: {template: SCAFFOLD}}\n"
               "  aggregated_model")
      .Replace("          - train\n", "          - train\n          - more\n");
  EXPECT_EQ(plan.Complaints(),
            "plan.yaml:83: tasks.train.aggregation_type: SCAFFOLD keeps one control variate a "
            "site, so one task can train, but more trains, too");
}

// Replaces a piece of a plan with FedCurv that is fine.
std::string FedCurvAfter(std::string_view old_text, std::string_view new_text) {
  With plan("{template: FedCurv, settings: {lambda: 0.5}}");
  plan.Replace(old_text, new_text);
  return plan.Complaints();
}

TEST(AggregationType, WithCurvatureIsForAnyOptimizerOfTheSitesOwn) {
  EXPECT_EQ(FedCurvAfter("type: sgd\n", "type: sgd\n      proximal: 0.1\n"), "");
  EXPECT_EQ(FedCurvAfter("opt_treatment: RESET ", "opt_treatment: CONTINUE_LOCAL "), "");
  EXPECT_EQ(FedCurvAfter("opt_treatment: RESET ", "opt_treatment: CONTINUE_GLOBAL "),
            "plan.yaml:82: tasks.train.aggregation_type: FedCurv has its sums in the model where "
            "the optimizer's state would be; expected opt_treatment: RESET or CONTINUE_LOCAL "
            "instead of CONTINUE_GLOBAL");
}

TEST(AggregationType, WithCurvatureIsNotForPythonClasses) {
  EXPECT_EQ(FedCurvAfter("template: IdxDataLoader", "template: src.loader.Mine"),
            "plan.yaml:82: tasks.train.aggregation_type: FedCurv has sites measure the curvature "
            "of their losses, which a Python class does not; expected another function");
}

TEST(AggregationType, WithCurvatureIsForOneTaskThatTrains) {
  With plan("{template: FedCurv}");
  plan.Replace("tasks:\n  aggregated_model",
               "tasks:\n  more: {function: train, aggregation_type: {template: FedCurv}}\n"
               "  aggregated_model")
      .Replace("          - train\n", "          - train\n          - more\n");
  EXPECT_EQ(plan.Complaints(),
            "plan.yaml:84: tasks.train.aggregation_type: FedCurv keeps one curvature a site, so "
            "one task can train, but more trains, too");
}

TEST(AggregationType, OfATaskThatValidatesIsTheWeightedAverage) {
  EXPECT_EQ(After("function: validate\n",
                  "function: validate\n    aggregation_type: {template: Median}\n"),
            "plan.yaml:77: tasks.aggregated_model_validation.aggregation_type.template is Median, "
            "but a task that validates sends numbers, which are always averaged; expected "
            "WeightedAverage");
}

TEST(AggregationType, IsTheSameForAllTasksThatTrain) {
  With plan("{template: Median}");
  plan.Replace("tasks:\n  aggregated_model",
               "tasks:\n  more: {function: train}\n  aggregated_model")
      .Replace("          - train\n", "          - train\n          - more\n");
  EXPECT_EQ(plan.Complaints(),
            "plan.yaml:76: tasks.more.aggregation_type differs from that of tasks.train; expected "
            "the same, since all tasks that train make one model");
}

}  // namespace
}  // namespace fx
