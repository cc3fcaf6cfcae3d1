#include "tasks/onednn/loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "tasks/onednn/fast_exp.h"

namespace fx::onednn {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::FloatNear;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr std::size_t kBatch = 3;

using Values = std::vector<double>;
// Of a batch, by the formula.
using Formula = std::function<double(const Values& outputs, const std::vector<float>& targets)>;

NetworkSpec NetworkWith(LossType type, Shape output, std::vector<double> class_weights = {}) {
  NetworkSpec network;
  network.layers.push_back({.type = LayerType::kTanh, .name = "last", .output = std::move(output)});
  network.loss = {.type = type, .class_weights = std::move(class_weights)};
  return network;
}

std::vector<float> Draw(std::size_t size, double scale = 2) {
  RandomStream draws(1, "loss");
  std::vector<float> values(size);
  for (float& v : values) v = static_cast<float>(scale * draws.NextNormal());
  return values;
}

std::vector<float> DrawBelow(std::size_t size, std::uint64_t bound) {
  RandomStream draws(2, "targets");
  std::vector<float> values(size);
  for (float& v : values) v = static_cast<float>(draws.Below(bound));
  return values;
}

// The mean and its gradient, by finite differences of the formula.
void Check(const NetworkSpec& network, const std::vector<float>& targets, const Formula& formula) {
  const Loss loss(network);
  const auto outputs = Draw(kBatch * static_cast<std::size_t>(NumElements(network.output())));
  std::vector<float> gradient(outputs.size());
  Values at(outputs.begin(), outputs.end());
  EXPECT_NEAR(loss.Measure(outputs, targets, gradient).mean(), formula(at, targets), 1e-6);
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double was = std::exchange(at[i], at[i] + 1e-5);
    const double above = formula(at, targets);
    at[i] = was - 1e-5;
    const double below = formula(at, targets);
    at[i] = was;
    EXPECT_NEAR(gradient[i], (above - below) / 2e-5, 1e-6) << i;
  }
}

// Where class c of place p lies.
using Place = std::function<std::size_t(std::size_t sample, std::size_t c, std::size_t p)>;

Formula CrossEntropy(std::size_t classes, std::size_t places, Values weights, const Place& place) {
  return [=](const Values& z, const std::vector<float>& targets) {
    double sum = 0, weight = 0;
    for (std::size_t s = 0; s < kBatch; ++s) {
      for (std::size_t p = 0; p < places; ++p) {
        const auto label = static_cast<std::size_t>(targets[s * places + p]);
        double all = 0;
        for (std::size_t c = 0; c < classes; ++c) all += std::exp(z[place(s, c, p)]);
        sum -= weights[label] * std::log(std::exp(z[place(s, label, p)]) / all);
        weight += weights[label];
      }
    }
    return sum / weight;
  };
}

double Sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

TEST(SoftmaxCrossEntropy, IsTheFormulaForAClassASample) {
  Check(NetworkWith(LossType::kSoftmaxCrossEntropy, {5}), DrawBelow(kBatch, 5),
        CrossEntropy(5, 1, Values(5, 1.0),
                     [](auto s, auto c, auto) -> std::size_t { return s * 5 + c; }));
}

TEST(SoftmaxCrossEntropy, IsTheWeightedFormulaForAClassAPixel) {
  const Values weights = {1, 0.5, 4};
  Check(NetworkWith(LossType::kSoftmaxCrossEntropy, {3, 2, 4}, weights), DrawBelow(kBatch * 8, 3),
        CrossEntropy(3, 8, weights,
                     [](auto s, auto c, auto p) -> std::size_t { return (s * 3 + c) * 8 + p; }));
}

TEST(SoftmaxCrossEntropy, IsTheWeightedFormulaForAClassAStep) {
  const Values weights = {1, 0.5, 4};
  Check(NetworkWith(LossType::kSoftmaxCrossEntropy, {4, 3}, weights), DrawBelow(kBatch * 4, 3),
        CrossEntropy(3, 4, weights,
                     [](auto s, auto c, auto p) -> std::size_t { return (s * 4 + p) * 3 + c; }));
}

TEST(SoftmaxCrossEntropy, GivesTheGradientOfTheMean) {
  // softmax(0, ln 3) = (1/4, 3/4).
  const std::vector<float> logits = {0, std::log(3.0F), 0, std::log(3.0F)};
  std::vector<float> gradient(4);
  const Loss loss(NetworkWith(LossType::kSoftmaxCrossEntropy, {2}));
  const LossSum sum = loss.Measure(logits, std::vector<float>{1, 0}, gradient);
  EXPECT_THAT(sum.sum, DoubleNear(-std::log(0.75) - std::log(0.25), 1e-6));
  EXPECT_EQ(sum.weight, 2);
  EXPECT_THAT(gradient, ElementsAre(FloatNear(0.125F, 1e-7F), FloatNear(-0.125F, 1e-7F),
                                    FloatNear(-0.375F, 1e-7F), FloatNear(0.375F, 1e-7F)));
}

TEST(SoftmaxCrossEntropy, SurvivesLogitsWhoseExponentialsOverflow) {
  std::vector<float> gradient(2);
  const Loss loss(NetworkWith(LossType::kSoftmaxCrossEntropy, {2}));
  EXPECT_EQ(loss.Measure(std::vector<float>{3000, -3000}, std::vector<float>{1}, gradient).mean(),
            6000);
  EXPECT_THAT(gradient, ElementsAre(1, -1));
}

TEST(BinaryCrossEntropy, IsTheWeightedFormula) {
  const Values weights = {1, 3};
  Check(NetworkWith(LossType::kBinaryCrossEntropy, {2, 1, 3}, weights), DrawBelow(kBatch * 6, 2),
        [&](const Values& z, const std::vector<float>& t) {
          double sum = 0;
          for (std::size_t i = 0; i < z.size(); ++i) {
            const double p = Sigmoid(z[i]);
            sum -= weights[i / 3 % 2] * t[i] * std::log(p) + (1 - t[i]) * std::log(1 - p);
          }
          return sum / static_cast<double>(z.size());
        });
}

TEST(BinaryCrossEntropy, KeepsTheDigitsOfASmallLoss) {
  const std::vector<float> logits = {-12, 12}, targets = {0, 1};
  std::vector<float> gradient(2);
  const Loss loss(NetworkWith(LossType::kBinaryCrossEntropy, {2}));
  const double small = std::log1p(std::exp(-12.0)), slope = Sigmoid(-12) / 2;
  EXPECT_NEAR(loss.Measure(logits, targets, gradient).mean() / small, 1, 1e-6);
  EXPECT_NEAR(gradient[0] / slope, 1, 1e-6);
  EXPECT_NEAR(gradient[1] / slope, -1, 1e-6);
}

// Of more places than are gone through at a time, and none of their multiples.
TEST(SoftmaxCrossEntropy, IsTheSameForPlanesAsForRows) {
  constexpr std::size_t kPlaces = 23 * 29, kClasses = 5;
  const std::vector<double> weights = {1, 2, 0.5, 3, 0.1};
  const std::vector<float> planes = Draw(kPlaces * kClasses, 6), labels = DrawBelow(kPlaces, 5);
  std::vector<float> rows(planes.size()), of_planes(planes.size()), of_rows(planes.size());
  for (std::size_t i = 0; i < planes.size(); ++i) {
    rows[i % kPlaces * kClasses + i / kPlaces] = planes[i];
  }
  const Loss image(NetworkWith(LossType::kSoftmaxCrossEntropy, {5, 23, 29}, weights));
  const Loss sequence(NetworkWith(LossType::kSoftmaxCrossEntropy, {23 * 29, 5}, weights));
  const double expected = sequence.Measure(rows, labels, of_rows).mean();
  EXPECT_NEAR(image.Measure(planes, labels, of_planes).mean(), expected, 1e-6);
  EXPECT_NEAR(image.Measure(planes, labels, {}).mean(), expected, 1e-6);
  for (std::size_t i = 0; i < planes.size(); ++i) {
    EXPECT_NEAR(of_planes[i], of_rows[i % kPlaces * kClasses + i / kPlaces], 1e-8) << i;
  }
}

TEST(BinaryCrossEntropy, SurvivesLogitsWhoseExponentialsOverflow) {
  std::vector<float> gradient(2);
  const Loss loss(NetworkWith(LossType::kBinaryCrossEntropy, {2}));
  EXPECT_EQ(loss.Measure(std::vector<float>{3000, -3000}, std::vector<float>{0, 1}, gradient).sum,
            6000);
  EXPECT_THAT(gradient, ElementsAre(0.5, -0.5));
}

TEST(Mse, IsTheFormula) {
  Check(NetworkWith(LossType::kMse, {4}), Draw(kBatch * 4, 1),
        [](const Values& z, const std::vector<float>& t) {
          double sum = 0;
          for (std::size_t i = 0; i < z.size(); ++i) sum += (z[i] - t[i]) * (z[i] - t[i]);
          return sum / static_cast<double>(z.size());
        });
}

Formula DiceOf(std::size_t classes, std::size_t places, const Place& place) {
  return [=](const Values& z, const std::vector<float>& t) {
    double sum = 0;
    for (std::size_t s = 0; s < kBatch; ++s) {
      for (std::size_t c = 0; c < classes; ++c) {
        double both = 0, all = 0;
        for (std::size_t p = 0; p < places; ++p) {
          const std::size_t i = place(s, c, p);
          both += Sigmoid(z[i]) * t[i];
          all += Sigmoid(z[i]) + t[i];
        }
        sum += 1 - (2 * both + 1) / (all + 1);
      }
    }
    return sum / static_cast<double>(kBatch * classes);
  };
}

TEST(Dice, IsTheFormulaASampleAndClass) {
  Check(NetworkWith(LossType::kDice, {2, 2, 3}), DrawBelow(kBatch * 12, 2),
        DiceOf(2, 6, [](auto s, auto c, auto p) -> std::size_t { return (s * 2 + c) * 6 + p; }));
}

TEST(Dice, TakesTheStepsOfASequenceTogether) {
  Check(NetworkWith(LossType::kDice, {6, 2}), DrawBelow(kBatch * 12, 2),
        DiceOf(2, 6, [](auto s, auto c, auto p) -> std::size_t { return (s * 6 + p) * 2 + c; }));
}

TEST(LossSum, OfTwoBatchesIsThatOfBoth) {
  const NetworkSpec network = NetworkWith(LossType::kSoftmaxCrossEntropy, {3}, {1, 5, 0.1});
  const Loss loss(network);
  const std::vector<float> outputs = Draw(15), targets = {0, 1, 2, 1, 0};
  const std::span all(outputs), labels(targets);
  LossSum sum = loss.Measure(all.first(3), labels.first(1), {});
  sum.Add(loss.Measure(all.subspan(3), labels.subspan(1), {}));
  EXPECT_NEAR(sum.mean(), loss.Measure(outputs, targets, {}).mean(), 1e-12);
}

TEST(AnyLoss, IsNotFiniteIfAnOutputIsNaN) {
  for (const LossType type : {LossType::kSoftmaxCrossEntropy, LossType::kBinaryCrossEntropy,
                              LossType::kMse, LossType::kDice}) {
    const Loss loss(NetworkWith(type, {2, 1, 1}));
    const std::vector<float> targets(type == LossType::kSoftmaxCrossEntropy ? 1 : 2);
    const float bad = std::nanf("");
    EXPECT_FALSE(std::isfinite(loss.Measure(std::vector{0.0F, bad}, targets, {}).sum));
    EXPECT_FALSE(std::isfinite(loss.Measure(std::vector{bad, 0.0F}, targets, {}).sum));
  }
}

TEST(SoftmaxCrossEntropy, IsNotFiniteIfALogitIsInfinite) {
  const Loss loss(NetworkWith(LossType::kSoftmaxCrossEntropy, {2}));
  const std::vector<float> label = {0};
  EXPECT_FALSE(std::isfinite(loss.Measure(std::vector{0.0F, kInfinity}, label, {}).sum));
  EXPECT_FALSE(std::isfinite(loss.Measure(std::vector{kInfinity, 0.0F}, label, {}).sum));
}

TEST(FastExp, IsWithinTwoUnitsOfTheLastPlace) {
  for (float x = 0; x > -87; x -= 0.0137F) {
    EXPECT_NEAR(FastExp(x) / std::exp(static_cast<double>(x)), 1, 2.4e-7) << x;
  }
  EXPECT_EQ(FastExp(0), 1);
  EXPECT_LT(FastExp(-kInfinity), 2e-38F);
  EXPECT_TRUE(std::isnan(FastExp(std::nanf(""))));
}

TEST(FastLog, IsWithinThreeUnitsOfTheLastPlace) {
  for (double x = 1; x < 1e30; x *= 1.00137) {
    const auto narrow = static_cast<float>(x);
    const double expected = std::log(static_cast<double>(narrow));
    EXPECT_NEAR(FastLog(narrow), expected, 3e-7 * expected) << x;
  }
  EXPECT_TRUE(std::isnan(FastLog(std::nanf(""))));
  EXPECT_TRUE(std::isnan(FastLog(kInfinity)));
}

TEST(FastLog1p, IsWithinThreeUnitsOfTheLastPlace) {
  for (float x = 1; x > 1e-37F; x *= 0.9937F) {
    EXPECT_NEAR(FastLog1p(x) / std::log1p(static_cast<double>(x)), 1, 3e-7) << x;
  }
  EXPECT_EQ(FastLog1p(0), 0);
  EXPECT_TRUE(std::isnan(FastLog1p(std::nanf(""))));
}

}  // namespace
}  // namespace fx::onednn
