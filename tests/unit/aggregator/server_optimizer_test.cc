// Optimizers at the aggregator, and averages of changes a step: by hand, and by what they must
// equal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "aggregator/functions/registry.h"
#include "core/base/random.h"

namespace fx::aggregator {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using Floats = std::vector<float>;

// A federation of one tensor: keeps the model and what the function keeps.
class Rounds {
 public:
  Rounds(std::string name, Settings settings, Contributors sites, Floats model)
      : name_(std::move(name)),
        settings_(std::move(settings)),
        sites_(std::move(sites)),
        model_(std::move(model)) {}

  const Floats& Next(const std::vector<Floats>& updates, Kind kind = Kind::kTrained) {
    const auto function = MakeAggregationFunction(name_, settings_, sites_);
    if (memories_.empty()) {
      for (const float first : function->Memories()) memories_.emplace_back(model_.size(), first);
    }
    const std::vector<std::span<const float>> spans(updates.begin(), updates.end());
    const std::vector<std::span<float>> memories(memories_.begin(), memories_.end());
    Floats next(model_.size());
    function->Fold({.base = model_, .updates = spans, .kind = kind, .memories = memories}, next);
    model_ = next;
    return model_;
  }

  const Floats& memory(std::size_t index) const { return memories_.at(index); }
  const Floats& model() const { return model_; }

 private:
  std::string name_;
  Settings settings_;
  Contributors sites_;
  Floats model_;
  std::vector<Floats> memories_;
};

const Contributors kTwo = {.shares = {0.5, 0.5}, .steps = {}};

std::vector<Floats> Normal(std::size_t sites, std::size_t size, std::uint64_t seed) {
  std::vector<Floats> updates(sites, Floats(size));
  for (std::size_t k = 0; k < sites; ++k) {
    RandomStream stream(seed, "updates", k);
    for (float& x : updates[k]) x = static_cast<float>(stream.NextNormal());
  }
  return updates;
}

TEST(FedAvgM, WithRateOneAndNoMomentumIsTheWeightedAverageBitForBit) {
  const Contributors sites = {.shares = {0.2, 0.3, 0.1, 0.15, 0.25}, .steps = {}};
  for (const std::size_t size : {1U, 3U, 5000U}) {
    Rounds plain("WeightedAverage", {}, sites, Floats(size, 0.5F));
    Rounds momentum("FedAvgM", {{"learning_rate", 1}, {"momentum", 0}}, sites, Floats(size, 0.5F));
    for (std::uint64_t round = 0; round < 3; ++round) {
      const auto updates = Normal(5, size, round);
      ASSERT_EQ(momentum.Next(updates), plain.Next(updates)) << size << " elements";
    }
  }
}

TEST(FedAvgM, AddsUpWhatRoundsHaveChanged) {
  Rounds rounds("FedAvgM", {{"learning_rate", 0.5}, {"momentum", 0.5}}, kTwo, {1});
  EXPECT_THAT(rounds.Next({{2}, {4}}), ElementsAre(2));  // m = 2
  EXPECT_THAT(rounds.Next({{2}, {4}}), ElementsAre(3));  // m = 0.5 * 2 + 1
  EXPECT_THAT(rounds.memory(0), ElementsAre(2));
  EXPECT_THAT(rounds.Next({{3}, {3}}), ElementsAre(3.5F));  // m = 1: still on the move
}

const Settings kAdaptive = {{"learning_rate", 0.1}, {"beta1", 0.5}, {"epsilon", 0.25}};

Settings With(double beta2) {
  Settings settings = kAdaptive;
  settings["beta2"] = beta2;
  return settings;
}

// v starts at 0.0625; the changes are 2, and then 3 minus the new model.
TEST(FedAdagrad, DividesByTheRootOfAllSquares) {
  Rounds rounds("FedAdagrad", kAdaptive, kTwo, {1});
  const double first = 1 + 0.1 * 1 / (std::sqrt(4.0625) + 0.25);
  EXPECT_THAT(rounds.Next({{2}, {4}}), ElementsAre(FloatEq(static_cast<float>(first))));
  const double change = 3 - first;
  const double m = 0.5 * 1 + 0.5 * change;
  const double v = 4.0625 + change * change;
  EXPECT_THAT(rounds.Next({{2}, {4}}),
              ElementsAre(FloatEq(static_cast<float>(first + 0.1 * m / (std::sqrt(v) + 0.25)))));
}

TEST(FedAdam, DividesByTheRootOfRecentSquares) {
  Rounds rounds("FedAdam", With(0.75), kTwo, {1});
  const double v1 = 0.75 * 0.0625 + 0.25 * 4;
  const double first = 1 + 0.1 * 1 / (std::sqrt(v1) + 0.25);
  EXPECT_THAT(rounds.Next({{2}, {4}}), ElementsAre(FloatEq(static_cast<float>(first))));
  const double change = 3 - first;
  const double v = 0.75 * v1 + 0.25 * change * change;
  const double m = 0.5 * 1 + 0.5 * change;
  EXPECT_THAT(rounds.Next({{2}, {4}}),
              ElementsAre(FloatEq(static_cast<float>(first + 0.1 * m / (std::sqrt(v) + 0.25)))));
}

TEST(FedYogi, MovesItsSquaresByNoMoreThanTheNewOne) {
  Rounds rounds("FedYogi", With(0.75), kTwo, {1});
  const double v1 = 0.0625 + 0.25 * 4;
  const double first = 1 + 0.1 * 1 / (std::sqrt(v1) + 0.25);
  EXPECT_THAT(rounds.Next({{2}, {4}}), ElementsAre(FloatEq(static_cast<float>(first))));
  EXPECT_THAT(rounds.memory(1), ElementsAre(FloatEq(1.0625F)));
  rounds.Next({rounds.model(), rounds.model()});  // no change: the squares stay
  EXPECT_THAT(rounds.memory(1), ElementsAre(FloatEq(1.0625F)));
  const float x = rounds.model()[0];
  rounds.Next({{x + 0.5F}, {x + 0.5F}});  // a smaller one: down by a quarter of 0.25
  EXPECT_THAT(rounds.memory(1), ElementsAre(testing::FloatNear(1, 1e-6F)));
}

// Variances must not become negative.
TEST(ServerOptimizer, LeavesStatisticsAndOptimizerStatesToTheAverage) {
  for (const char* name : {"FedAvgM", "FedAdagrad", "FedAdam", "FedYogi"}) {
    for (const Kind kind : {Kind::kStatistics, Kind::kOptimizerState}) {
      Rounds rounds(name, {}, kTwo, {1});
      EXPECT_THAT(rounds.Next({{2}, {4}}, kind), ElementsAre(3)) << name;
    }
  }
}

TEST(FedNova, OfEqualStepsIsTheWeightedAverageBitForBit) {
  const Contributors sites = {.shares = {0.2, 0.3, 0.5}, .steps = {7, 7, 7}};
  Rounds plain("WeightedAverage", {}, sites, Floats(100, 0.5F));
  Rounds nova("FedNova", {}, sites, Floats(100, 0.5F));
  const auto updates = Normal(3, 100, 1);
  EXPECT_EQ(nova.Next(updates), plain.Next(updates));
}

TEST(FedNova, CountsAChangeByTheStep) {
  // Changes 4 in 1 step and 6 in 3; t_eff = 2; 10 + 2 * (4/1 + 6/3) / 2.
  Rounds rounds("FedNova", {}, {.shares = {0.5, 0.5}, .steps = {1, 3}}, {10});
  EXPECT_THAT(rounds.Next({{14}, {16}}), ElementsAre(FloatEq(16)));
}

// Two sites, losses 1/2 (x - 2)^2 and 3/2 (x - 10)^2; the sum is least at 8.0. A step of gradient
// descent at rate r shrinks a site's distance to its own optimum by 1 - r a.
struct Site {
  double curvature, optimum;
  std::size_t steps;
  static constexpr double kRate = 0.05;

  double shrink() const { return std::pow(1 - kRate * curvature, static_cast<double>(steps)); }
  Floats Train(const Floats& model) const {
    return {static_cast<float>(optimum + (static_cast<double>(model[0]) - optimum) * shrink())};
  }
};

double Settled(const std::string& function, const Site& a, const Site& b) {
  const Contributors sites = {
      .shares = {0.5, 0.5}, .steps = {static_cast<double>(a.steps), static_cast<double>(b.steps)}};
  Rounds rounds(function, {}, sites, {0});
  for (int round = 0; round < 300; ++round) {
    rounds.Next({a.Train(rounds.model()), b.Train(rounds.model())});
  }
  return static_cast<double>(rounds.model()[0]);
}

// Where the average change, with these weights, is 0.
double FixedPoint(const Site& a, const Site& b, double weight_a, double weight_b) {
  const double pull_a = weight_a * (1 - a.shrink());
  const double pull_b = weight_b * (1 - b.shrink());
  return (pull_a * a.optimum + pull_b * b.optimum) / (pull_a + pull_b);
}

TEST(TwoQuadratics, WeightedAverageSettlesAtItsBiasedPoint) {
  const Site a{.curvature = 1, .optimum = 2, .steps = 20};
  const Site b{.curvature = 3, .optimum = 10, .steps = 20};
  const double expected = FixedPoint(a, b, 1, 1);
  EXPECT_NEAR(Settled("WeightedAverage", a, b), expected, 1e-4);
  EXPECT_LT(expected, 7.5) << "the case is not biased";
  const Site a1{.curvature = 1, .optimum = 2, .steps = 1};
  const Site b1{.curvature = 3, .optimum = 10, .steps = 1};
  EXPECT_NEAR(Settled("WeightedAverage", a1, b1), 8, 1e-4);
}

TEST(TwoQuadratics, FedNovaUndoesTheBiasOfUnequalSteps) {
  const Site a{.curvature = 1, .optimum = 2, .steps = 10};
  const Site b{.curvature = 3, .optimum = 10, .steps = 1};
  const double expected = FixedPoint(a, b, 1.0 / 10, 1);
  EXPECT_NEAR(Settled("FedNova", a, b), expected, 1e-4);
  EXPECT_NEAR(expected, 8, 0.4);
  EXPECT_LT(Settled("WeightedAverage", a, b), 4.5);
}

TEST(TwoQuadratics, FedAvgMSettlesWhereTheWeightedAverageDoes) {
  const Site a{.curvature = 1, .optimum = 2, .steps = 20};
  const Site b{.curvature = 3, .optimum = 10, .steps = 20};
  EXPECT_NEAR(Settled("FedAvgM", a, b), FixedPoint(a, b, 1, 1), 1e-3);
}

}  // namespace
}  // namespace fx::aggregator
