// aggregator.settings.best_model and early_stopping: what is read, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/plan/plan_text.h"

namespace fx {
namespace {

using test::PlanText;

struct With : PlanText {
  explicit With(const std::string& line) {
    Replace("    rounds_to_train", "    " + line + "\n    rounds_to_train");
  }
};

BestModelRule Read(const std::string& line) {
  const Result<Plan> plan = With(line).Load();
  EXPECT_TRUE(plan) << plan.error().message();
  return plan ? plan->aggregator.best_model : BestModelRule{};
}

TEST(BestModel, IsByTheFirstMetricWithoutSmoothingOrEarlyEndIfThePlanSaysNothing) {
  const Result<Plan> plan = PlanText().Load();
  ASSERT_TRUE(plan);
  const BestModelRule& rule = plan->aggregator.best_model;
  EXPECT_EQ(rule.metric, "");
  EXPECT_EQ(rule.direction, BestModelRule::Direction::kByName);
  EXPECT_EQ(rule.smoothing, 0);
  EXPECT_FALSE(rule.patience);
}

TEST(BestModel, IsByWhatThePlanNames) {
  const BestModelRule rule = Read("best_model: {metric: loss, direction: min, smoothing: 0.5}");
  EXPECT_EQ(rule.metric, "loss");
  EXPECT_EQ(rule.direction, BestModelRule::Direction::kMin);
  EXPECT_EQ(rule.smoothing, 0.5);
}

TEST(EarlyStopping, HasPatienceAndALeastGain) {
  const BestModelRule rule = Read("early_stopping: {patience: 3, min_delta: 0.01}");
  EXPECT_EQ(rule.patience, 3U);
  EXPECT_EQ(rule.min_delta, 0.01);
  EXPECT_EQ(Read("early_stopping: {patience: 3}").min_delta, 0);
}

TEST(BestModel, ByAMetricNobodyReportsIsRefusedWithTheNearestName) {
  EXPECT_NE(With("best_model: {metric: acuracy}")
                .Complaints()
                .find("aggregator.settings.best_model.metric is \"acuracy\", which no task that "
                      "validates the aggregated model reports, did you mean accuracy?"),
            std::string::npos);
}

TEST(EarlyStopping, WithoutPatienceOrOutOfRangeIsRefused) {
  EXPECT_NE(With("early_stopping: {min_delta: 0.01}")
                .Complaints()
                .find("aggregator.settings.early_stopping.patience is missing"),
            std::string::npos);
  EXPECT_NE(With("early_stopping: {patience: 0}").Complaints().find("patience is 0, expected"),
            std::string::npos);
  EXPECT_NE(With("best_model: {smoothing: 1.0}").Complaints().find("smoothing is 1.0, expected"),
            std::string::npos);
}

TEST(BestModel, WithADirectionOfNoMetricIsRefused) {
  EXPECT_NE(With("best_model: {direction: min}")
                .Complaints()
                .find("best_model.direction needs best_model.metric: a direction of which metric?"),
            std::string::npos);
}

TEST(BestModel, WhoseDirectionIsAgainstWhatTheMetricMeansIsRefused) {
  EXPECT_NE(With("best_model: {metric: accuracy, direction: min}")
                .Complaints()
                .find("best_model.direction is min, but of accuracy more is better"),
            std::string::npos);
  EXPECT_NE(With("best_model: {metric: loss, direction: max}")
                .Complaints()
                .find("best_model.direction is max, but of loss less is better"),
            std::string::npos);
  EXPECT_EQ(Read("best_model: {metric: accuracy, direction: max}").direction,
            BestModelRule::Direction::kMax);
}

TEST(EarlyStopping, ThatCannotHappenBeforeTheLastRoundIsRefused) {
  With plan("early_stopping: {patience: 3}");
  plan.Replace("rounds_to_train: 10 ", "rounds_to_train: 3 ");
  EXPECT_NE(plan.Complaints().find("early_stopping.patience is 3, but there are 3 "
                                   "rounds_to_train, so training cannot stop early"),
            std::string::npos)
      << plan.Complaints();
}

// Two groups whose sites judge by different metrics: the score would be now one, now the other.
TEST(EarlyStopping, ByMetricsThatDifferFromTaskToTaskIsRefused) {
  for (const char* rule : {"early_stopping: {patience: 3}", "best_model: {smoothing: 0.5}"}) {
    With plan(rule);
    plan.Replace(
        "tasks:\n  aggregated_model_validation:",
        "tasks:\n  by_loss: {function: validate, kwargs: {apply: global, metrics: [loss]}}\n"
        "  aggregated_model_validation:");
    plan.Replace("        percentage: 1.0 ", "        percentage: 0.5 ");
    plan.Replace("      - name: train_and_validate",
                 "      - {name: judges, percentage: 0.5, tasks: [by_loss]}\n"
                 "      - name: train_and_validate");
    EXPECT_NE(plan.Complaints().find("name the metric that counts in "
                                     "aggregator.settings.best_model.metric"),
              std::string::npos)
        << plan.Complaints();
  }
}

// Whoever is done has done both, and the first by name decides.
TEST(EarlyStopping, ByTwoTasksOfOneGroupIsByTheFirstOfThem) {
  With plan("early_stopping: {patience: 3}");
  plan.Replace("tasks:\n  aggregated_model_validation:",
               "tasks:\n  by_loss: {function: validate, kwargs: {apply: global, metrics: [loss]}}\n"
               "  aggregated_model_validation:");
  plan.Replace("          - train\n", "          - by_loss\n          - train\n");
  EXPECT_EQ(plan.Complaints(), "");
}

TEST(EarlyStopping, WithoutATaskThatJudgesIsRefused) {
  With plan("early_stopping: {patience: 3}");
  plan.Replace("          - aggregated_model_validation\n", "");
  EXPECT_NE(plan.Complaints().find("aggregator.settings.early_stopping needs a task group with a "
                                   "task that validates the aggregated model"),
            std::string::npos)
      << plan.Complaints();
}

}  // namespace
}  // namespace fx
