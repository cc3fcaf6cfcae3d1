#include "aggregator/engine/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fx::aggregator {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(SharesOf, AreInProportionToTheSamples) {
  EXPECT_THAT(SharesOf(std::vector<std::int64_t>{1, 3}), ElementsAre(0.25, 0.75));
  EXPECT_THAT(SharesOf(std::vector<std::int64_t>{0, 3}), ElementsAre(0, 1));
}

TEST(SharesOf, AreEqualWhenTheSamplesAreUnknown) {
  EXPECT_THAT(SharesOf(std::vector<std::int64_t>{-1, 3}), ElementsAre(0.5, 0.5));
  EXPECT_THAT(SharesOf(std::vector<std::int64_t>{0, 0, 0, 0}), ElementsAre(0.25, 0.25, 0.25, 0.25));
  EXPECT_THAT(SharesOf({}), IsEmpty());
}

class AverageMetricsTest : public testing::Test {
 protected:
  void Accept(const char* who, const char* task, std::int64_t samples,
              std::vector<Metric> metrics) {
    state_.assignments[{who}].push_back({task});
    state_.accepted[{{task}, {who}}] = {.who = {who},
                                        .task = {task},
                                        .update = {},
                                        .num_samples = samples,
                                        .metrics = std::move(metrics)};
  }
  std::vector<AggregatedMetric> Average() const { return AverageMetrics(state_, members_); }

  State state_;
  std::vector<CollaboratorName> members_ = {{"bob"}, {"ann"}, {"cyd"}};
};

TEST_F(AverageMetricsTest, WeighsBySamples) {
  Accept("ann", "validate", 100, {{"accuracy", 0.5}});
  Accept("bob", "validate", 300, {{"accuracy", 0.75}});
  EXPECT_THAT(Average(), ElementsAre(AggregatedMetric{{"validate"}, {"accuracy", 0.6875}}));
}

TEST_F(AverageMetricsTest, LeavesOutWhoHasNotCompleted) {
  Accept("ann", "validate", 100, {{"accuracy", 0.5}});
  Accept("bob", "validate", 300, {{"accuracy", 0.75}});
  state_.assignments[{"bob"}].push_back({"train"});
  EXPECT_THAT(Average(), ElementsAre(AggregatedMetric{{"validate"}, {"accuracy", 0.5}}));
}

TEST_F(AverageMetricsTest, AveragesAMetricOverThoseWhoReportIt) {
  Accept("ann", "validate", 1, {{"loss", 1}, {"dice", 0.25}});
  Accept("bob", "validate", 1, {{"loss", 3}});
  EXPECT_THAT(Average(), ElementsAre(AggregatedMetric{{"validate"}, {"loss", 2}},
                                     AggregatedMetric{{"validate"}, {"dice", 0.25}}));
}

TEST_F(AverageMetricsTest, AddsInTheOrderOfTheAuthorisedList) {
  // 1e16 + 1 is 1e16 in doubles: the order shows.
  Accept("ann", "t", 1, {{"x", -1e16}});
  Accept("bob", "t", 1, {{"x", 1e16}});
  Accept("cyd", "t", 1, {{"x", 1}});
  const double third = 1.0 / 3;
  const double bob_ann_cyd = ((third * 1e16 + third * -1e16) + third * 1) / (third + third + third);
  EXPECT_THAT(Average(), ElementsAre(AggregatedMetric{{"t"}, {"x", bob_ann_cyd}}));
}

std::vector<AggregatedMetric> Metrics(std::vector<std::pair<const char*, Metric>> metrics) {
  std::vector<AggregatedMetric> all;
  for (auto& [task, metric] : metrics) all.push_back({{task}, metric});
  return all;
}

TEST(ScoreOf, IsTheFirstMetricThatIsNoLossOfTheJudgingTask) {
  const auto score = ScoreOf(
      Metrics(
          {{"train", {"accuracy", 9}}, {"v", {"loss", 1}}, {"v", {"dice", 2}}, {"v", {"f1", 3}}}),
      {{"v"}}, {});
  ASSERT_TRUE(score);
  EXPECT_EQ(score->metric, "dice");
  EXPECT_EQ(score->value, 2);
  EXPECT_FALSE(score->lower_is_better);
}

TEST(ScoreOf, IsTheFirstLossIfThereIsNothingElse) {
  const auto score =
      ScoreOf(Metrics({{"v", {"val_Loss", 1}}, {"v", {"loss2", 2}}, {"w", {"accuracy", 3}}}),
              {{"v"}, {"w"}}, {});
  ASSERT_TRUE(score);
  EXPECT_EQ(score->metric, "val_Loss");
  EXPECT_TRUE(score->lower_is_better);
}

TEST(ScoreOf, IsBetterTheSmallerAnErrorIs) {
  const auto score = ScoreOf(Metrics({{"v", {"loss", 4}}, {"v", {"mae", 2}}}), {{"v"}}, {});
  ASSERT_TRUE(score);
  EXPECT_EQ(score->metric, "mae");
  EXPECT_TRUE(score->lower_is_better);
}

TEST(ScoreOf, IsNoneWithoutAJudge) {
  EXPECT_FALSE(ScoreOf(Metrics({{"train", {"accuracy", 1}}}), {{"v"}}, {}));
}

TEST(ScoreOf, IsWhatThePlanNamesInTheDirectionItNames) {
  const auto metrics =
      Metrics({{"train", {"loss", 9}}, {"v", {"accuracy", 1}}, {"w", {"loss", 2}}});
  BestModelRule rule;
  rule.metric = "loss";
  EXPECT_EQ(ScoreOf(metrics, {{"v"}, {"w"}}, rule)->value, 2);
  EXPECT_TRUE(ScoreOf(metrics, {{"v"}, {"w"}}, rule)->lower_is_better);
  rule.direction = BestModelRule::Direction::kMax;
  EXPECT_FALSE(ScoreOf(metrics, {{"v"}, {"w"}}, rule)->lower_is_better);
  EXPECT_FALSE(ScoreOf(metrics, {{"v"}}, rule));
}

ModelScored Judged(const std::vector<double>& values, const BestModelRule& rule,
                   bool lower_is_better = false) {
  std::optional<ModelScored> judged;
  for (const double value : values) {
    judged =
        Judge({.metric = "m", .value = value, .lower_is_better = lower_is_better}, judged, rule);
  }
  return *judged;
}

TEST(Judge, SmoothsWithWhatCameBefore) {
  BestModelRule rule;
  rule.smoothing = 0.5;
  EXPECT_EQ(Judged({4}, rule).score, 4);
  EXPECT_EQ(Judged({4, 8}, rule).score, 6);
  EXPECT_EQ(Judged({4, 8, 2}, rule).score, 4);
  EXPECT_EQ(Judged({4, 8, 2}, BestModelRule{}).score, 2);
}

TEST(Judge, CountsTheRoundsSinceTheLastGain) {
  EXPECT_EQ(Judged({1}, {}).stalled, 0U);
  EXPECT_EQ(Judged({1, 1, 1}, {}).stalled, 2U);
  EXPECT_EQ(Judged({1, 1, 2}, {}).stalled, 0U);
  EXPECT_EQ(Judged({3, 4, 2}, {}, true).stalled, 0U);
  EXPECT_EQ(Judged({3, 4, 5}, {}, true).stalled, 2U);
}

TEST(Judge, AsksForAGainOfMoreThanTheLeastSinceTheLastGain) {
  BestModelRule rule;
  rule.min_delta = 1;
  EXPECT_EQ(Judged({1, 2}, rule).stalled, 1U);
  EXPECT_EQ(Judged({1, 1.75, 2.5}, rule).stalled, 0U) << "small gains add up";
  EXPECT_EQ(Judged({1, 1.75, 2.5}, rule).bar, 2.5);
}

TEST(Judge, TakesANaNForARoundWithoutGainAndForNoScore) {
  EXPECT_EQ(Judged({1, kNan}, {}).stalled, 1U);
  EXPECT_EQ(Judged({1, kNan}, {}).score, 1);
  EXPECT_TRUE(std::isnan(Judged({kNan}, {}).score));
  EXPECT_EQ(Judged({kNan, kNan}, {}).stalled, 2U);
  EXPECT_EQ(Judged({kNan, 3}, {}).stalled, 0U);
}

BestModelChosen Best(double score) {
  return {.round = {}, .model = {}, .metric = "accuracy", .score = score};
}

TEST(Beats, IsStrict) {
  EXPECT_TRUE(Beats({.metric = "accuracy", .value = 0.6}, Best(0.5)));
  EXPECT_FALSE(Beats({.metric = "accuracy", .value = 0.5}, Best(0.5)));
  EXPECT_TRUE(Beats({.metric = "loss", .value = 0.4, .lower_is_better = true}, Best(0.5)));
  EXPECT_FALSE(Beats({.metric = "loss", .value = 0.5, .lower_is_better = true}, Best(0.5)));
}

TEST(Beats, AnythingButNaNBeatsNothing) {
  EXPECT_TRUE(Beats({.metric = "accuracy", .value = -1}, std::nullopt));
  EXPECT_FALSE(Beats({.metric = "accuracy", .value = kNan}, std::nullopt));
  EXPECT_FALSE(Beats({.metric = "accuracy", .value = kNan}, Best(0.5)));
}

}  // namespace
}  // namespace fx::aggregator
