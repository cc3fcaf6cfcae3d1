// The example of docs/guides/new-aggregation-function.md, built from what is printed there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "aggregator/functions/registry.h"

namespace fx::aggregator {

FunctionRow MidrangeRow();

namespace {

std::vector<float> Midrange(double lean) {
  const std::vector<float> base = {0, 0};
  const std::vector<float> updates[] = {{1, -4}, {9, -4}, {2, 4}};
  const std::vector<std::span<const float>> spans(std::begin(updates), std::end(updates));
  std::vector<float> out(2);
  const Contributors sites = {.shares = {0.2, 0.2, 0.6}, .steps = {1, 1, 1}};
  MidrangeRow().make({{"lean", lean}}, sites)->Fold({.base = base, .updates = spans}, out);
  return out;
}

TEST(GuideToAggregationFunctions, HasAnExampleThatDoesWhatItSays) {
  EXPECT_THAT(Midrange(0.5), testing::ElementsAre(5, 0));
  EXPECT_THAT(Midrange(0), testing::ElementsAre(1, -4));
  EXPECT_THAT(Midrange(1), testing::ElementsAre(9, 4));
}

TEST(GuideToAggregationFunctions, HasARowLikeThoseOfTheTable) {
  const FunctionRow row = MidrangeRow();
  EXPECT_EQ(row.name, "Midrange");
  ASSERT_EQ(row.settings.size(), 1U);
  EXPECT_EQ(row.settings[0].name, "lean");
  EXPECT_EQ(row.settings[0].fallback, 0.5);
}

}  // namespace
}  // namespace fx::aggregator
