#include "tasks/learning_rate.h"

#include <gtest/gtest.h>

#include <vector>

namespace fx {
namespace {

void ExpectRates(const ScheduleSpec& schedule, const std::vector<double>& expected) {
  const OptimizerSpec spec = {.learning_rate = 10, .schedule = schedule};
  for (std::size_t round = 0; round < expected.size(); ++round) {
    EXPECT_NEAR(LearningRate(spec, Round{static_cast<std::uint32_t>(round)}), expected[round],
                1e-12)
        << round;
  }
}

TEST(LearningRate, IsConstantUnlessSaidOtherwise) {
  ExpectRates({}, {10, 10, 10});
}

TEST(LearningRate, GrowsEvenlyDuringWarmUp) {
  ExpectRates({.warmup = 3}, {2.5, 5, 7.5, 10, 10});
}

TEST(LearningRate, FallsByAFactorEverySoManyRounds) {
  ExpectRates({.type = ScheduleType::kStep, .every = 2, .factor = 0.1}, {10, 10, 1, 1, 0.1});
}

TEST(LearningRate, FallsAsACosineToItsFloorAndStaysThere) {
  ExpectRates({.type = ScheduleType::kCosine, .rounds = 4, .floor = 0.2},
              {10, 2 + 4 * (1 + 0.70710678118654752), 6, 2 + 4 * (1 - 0.70710678118654752), 2, 2});
}

TEST(LearningRate, CountsRoundsOfTheScheduleFromTheEndOfWarmUp) {
  ExpectRates({.type = ScheduleType::kStep, .warmup = 1, .every = 1, .factor = 0.5},
              {5, 10, 5, 2.5});
}

}  // namespace
}  // namespace fx
