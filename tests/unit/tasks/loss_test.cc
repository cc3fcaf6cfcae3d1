#include "tasks/onednn/loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/matchers.h"

namespace fx::onednn {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::FloatNear;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(SoftmaxCrossEntropy, SumsLossesAndCountsHits) {
  // softmax(0, ln 3) = (1/4, 3/4).
  const std::vector<float> logits = {0, std::log(3.0F), 0, std::log(3.0F)};
  const Score score = SoftmaxCrossEntropy(logits, std::vector<float>{1, 0}, {});
  EXPECT_THAT(score.loss, DoubleNear(-std::log(0.75) - std::log(0.25), 1e-7));
  EXPECT_EQ(score.correct, 1);
}

TEST(SoftmaxCrossEntropy, GivesTheGradientOfTheMean) {
  const std::vector<float> logits = {0, std::log(3.0F), 0, std::log(3.0F)};
  std::vector<float> gradient(4);
  SoftmaxCrossEntropy(logits, std::vector<float>{1, 0}, gradient);
  EXPECT_THAT(gradient, ElementsAre(FloatNear(0.125F, 1e-7F), FloatNear(-0.125F, 1e-7F),
                                    FloatNear(-0.375F, 1e-7F), FloatNear(0.375F, 1e-7F)));
}

TEST(SoftmaxCrossEntropy, SurvivesLogitsWhoseExponentialsOverflow) {
  std::vector<float> gradient(2);
  const Score score =
      SoftmaxCrossEntropy(std::vector<float>{3000, -3000}, std::vector<float>{1}, gradient);
  EXPECT_EQ(score.loss, 6000);
  EXPECT_THAT(gradient, ElementsAre(1, -1));
}

TEST(SoftmaxCrossEntropy, CountsTheFirstOfEqualLogits) {
  const std::vector<float> logits = {1, 1, 1};
  EXPECT_EQ(SoftmaxCrossEntropy(logits, std::vector<float>{0}, {}).correct, 1);
  EXPECT_EQ(SoftmaxCrossEntropy(logits, std::vector<float>{2}, {}).correct, 0);
}

TEST(SoftmaxCrossEntropy, IsNotFiniteIfALogitIsNot) {
  const std::vector<float> label = {0};
  for (const float bad : {std::nanf(""), kInfinity}) {
    EXPECT_FALSE(std::isfinite(SoftmaxCrossEntropy(std::vector{0.0F, bad}, label, {}).loss));
    EXPECT_FALSE(std::isfinite(SoftmaxCrossEntropy(std::vector{bad, 0.0F}, label, {}).loss));
  }
}

}  // namespace
}  // namespace fx::onednn
