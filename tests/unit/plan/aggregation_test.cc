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
};

AggregationSpec Read(const std::string& aggregation_type) {
  const Result<Plan> plan = With(aggregation_type).Load();
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
  EXPECT_EQ(With(krum).Cols("collaborators: [a, b, c, d]").Complaints(),
            "plan.yaml:82: tasks.train.aggregation_type: Krum with these settings needs 5 sites, "
            "cols.yaml has 4; expected more sites or fewer attackers");
  EXPECT_EQ(With(krum).Cols("collaborators: [a, b, c, d, e]").Complaints(), "");
  EXPECT_EQ(With(krum).Cols("collaborators: []").Complaints(), "") << "nobody has joined yet";
}

TEST(AggregationType, ThatCountsStepsIsRefusedForPythonClasses) {
  With plan("{template: FedNova}");
  EXPECT_EQ(plan.Complaints(), "");
  plan.Replace("template: IdxDataLoader", "template: src.loader.Mine");
  EXPECT_EQ(plan.Complaints(),
            "plan.yaml:82: tasks.train.aggregation_type: FedNova has to know how many steps a "
            "site takes, which a Python class does not tell; expected another function");
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
