#include "aggregator/engine/round_policy.h"

#include <gtest/gtest.h>

namespace fx::aggregator {
namespace {

StragglerPolicy Policy(double percent, std::size_t minimum) {
  StragglerPolicy policy;
  policy.percent_needed = percent;
  policy.minimum_reporting = minimum;
  return policy;
}

TEST(RoundPolicy, ClosesWhenEverybodyIsDone) {
  EXPECT_TRUE(MayClose(Policy(1, 1), {.assigned = 3, .done = 3}, false));
  EXPECT_FALSE(MayClose(Policy(1, 1), {.assigned = 3, .done = 2}, false));
}

TEST(RoundPolicy, EverybodyIsEnoughEvenBelowTheMinimum) {
  EXPECT_TRUE(MayClose(Policy(1, 5), {.assigned = 3, .done = 3}, false));
}

TEST(RoundPolicy, ClosesAtTheShareAndTheMinimum) {
  EXPECT_TRUE(MayClose(Policy(0.5, 1), {.assigned = 4, .done = 2}, false));
  EXPECT_FALSE(MayClose(Policy(0.5, 1), {.assigned = 5, .done = 2}, false));
  EXPECT_FALSE(MayClose(Policy(0.5, 3), {.assigned = 4, .done = 2}, false));
}

TEST(RoundPolicy, ClosesAfterTheDeadlineWithTheMinimum) {
  EXPECT_FALSE(MayClose(Policy(1, 2), {.assigned = 9, .done = 1}, true));
  EXPECT_TRUE(MayClose(Policy(1, 2), {.assigned = 9, .done = 2}, true));
}

TEST(RoundPolicy, NeverClosesWithNobody) {
  EXPECT_FALSE(MayClose(Policy(0, 0), {.assigned = 2, .done = 0}, true));
}

TEST(RoundPolicy, WaitsForTheDeadlineOnlyOnceEnoughAreDone) {
  EXPECT_FALSE(WaitsForDeadline(Policy(1, 2), {.assigned = 3, .done = 1}));
  EXPECT_TRUE(WaitsForDeadline(Policy(1, 2), {.assigned = 3, .done = 2}));
  EXPECT_FALSE(WaitsForDeadline(Policy(1, 2), {.assigned = 3, .done = 3}));
}

}  // namespace
}  // namespace fx::aggregator
