#include "tasks/onednn/update_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

#include "core/base/random.h"

namespace fx::onednn {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;

std::vector<float> Normal(std::size_t size, std::uint64_t seed) {
  RandomStream draws(seed, "update rules");
  std::vector<float> values(size);
  for (float& v : values) v = static_cast<float>(draws.NextNormal());
  return values;
}

TEST(ClipNorm, ScalesAllGradientsTogether) {
  std::vector<float> a = {3, 0}, b = {-4};
  ClipNorm({a, b}, 1, 1);
  EXPECT_THAT(a, ElementsAre(FloatNear(0.6F, 1e-6F), 0));
  EXPECT_THAT(b, ElementsAre(FloatNear(-0.8F, 1e-6F)));
}

TEST(ClipNorm, LeavesSmallerOnesAlone) {
  std::vector<float> a = {3, 4};
  ClipNorm({a}, 5.1, 1);
  EXPECT_THAT(a, ElementsAre(3, 4));
}

TEST(ClipNorm, GivesTheSameBytesOnAnyNumberOfThreads) {
  const std::vector<float> gradient = Normal(100'003, 1);
  std::vector<float> one = gradient, two = gradient;
  ClipNorm({one}, 2, 1);
  ClipNorm({two}, 2, 2);
  EXPECT_EQ(one, two);
  double squares = 0;
  for (const float g : one) squares += static_cast<double>(g) * g;
  EXPECT_NEAR(std::sqrt(squares), 2, 1e-5);
}

TEST(ClipNorm, DoesNotHideWhatIsNotANumber) {
  std::vector<float> a = {3, std::nanf("")};
  ClipNorm({a}, 1, 1);
  EXPECT_TRUE(std::isnan(a[1]));
}

TEST(ClipValues, BringsEachWithinTheLimit) {
  std::vector<float> a = {3, -0.5F, -7, std::nanf("")};
  ClipValues(a, 2, 1);
  EXPECT_EQ(a[0], 2);
  EXPECT_EQ(a[1], -0.5F);
  EXPECT_EQ(a[2], -2);
  EXPECT_TRUE(std::isnan(a[3]));
}

TEST(AddProximal, PullsTowardsTheAnchor) {
  std::vector<float> gradient = {1, 1};
  AddProximal(gradient, std::vector<float>{5, 2}, std::vector<float>{4, 4}, 0.5, 1);
  EXPECT_THAT(gradient, ElementsAre(1.5F, 0));
}

TEST(AddPenalty, AddsSlopeTimesWeightMinusOffset) {
  std::vector<float> gradient = {1, 1};
  AddPenalty(gradient, std::vector<float>{5, 2}, std::vector<float>{0.5F, 0},
             std::vector<float>{4, -1}, 1);
  EXPECT_THAT(gradient, ElementsAre(-0.5F, 2));
}

TEST(AddSquares, AddsThemUp) {
  std::vector<float> sum = {1, 0};
  AddSquares(sum, std::vector<float>{3, -2}, 1);
  EXPECT_THAT(sum, ElementsAre(10, 4));
}

TEST(Apply, GivesTheSameBytesOnAnyNumberOfThreads) {
  constexpr std::size_t kSize = 40'001;
  for (const OptimizerType type : {OptimizerType::kSgd, OptimizerType::kAdam, OptimizerType::kAdamW,
                                   OptimizerType::kAdaGrad, OptimizerType::kRmsProp}) {
    const OptimizerSpec spec = {.type = type, .momentum = 0.9, .weight_decay = 0.1};
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2}) {
      std::vector<float> w = Normal(kSize, 1), first(kSize), second(kSize);
      const std::vector<float> g = Normal(kSize, 2);
      Apply({.w = w.data(),
             .g = g.data(),
             .first = first.data(),
             .second = second.data(),
             .size = kSize},
            spec, 0.1, 1, threads);
      EXPECT_NE(w, Normal(kSize, 1));
      results.push_back(w);
    }
    EXPECT_EQ(results[0], results[1]);
  }
}

}  // namespace
}  // namespace fx::onednn
