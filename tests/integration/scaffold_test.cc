// Both parts of SCAFFOLD together, on two sites whose losses are quadratic: where FedAvg ends at a
// biased point that is known in closed form, it ends at the optimum of the plan's objective.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "tasks/control_variates.h"
#include "tests/integration/quadratics.h"
#include "tests/support/must.h"
#include "tests/support/quadratic.h"

namespace fx::test {
namespace {

constexpr double kRate = 0.05;
const OptimizerSpec kOptimizer = {.learning_rate = kRate};
constexpr double kClose = 1e-4;  // numbers are float32

class Scaffolded : public Quadratics {
 public:
  explicit Scaffolded(std::vector<Quadratic> losses, double global_learning_rate = 1)
      : Quadratics(std::move(losses), kOptimizer,
                   {.function = "SCAFFOLD",
                    .settings = {{"global_learning_rate", global_learning_rate}},
                    .control_variates = true},
                   [](auto runner) { return WithControlVariates(kOptimizer, std::move(runner)); }) {
  }

  double samples() const { return sum(1); }
};

// (1 * 2 + 3 * 10) / (1 + 3) = 8
const std::vector<Quadratic> kTwo = {{.curvature = 1, .optimum = 2},
                                     {.curvature = 3, .optimum = 10}};
// (30 * 1 * 2 + 10 * 3 * 10) / (30 * 1 + 10 * 3) = 6
const std::vector<Quadratic> kUnequal = {{.curvature = 1, .optimum = 2, .samples = 30},
                                         {.curvature = 3, .optimum = 10, .samples = 10}};

// A site that is handed x sends optimum + r (x - optimum), r = (1 - rate * curvature)^steps: the
// mean of both stands still where sum_k (1 - r_k) (x - optimum_k) = 0.
double WhereFedAvgEnds(const std::vector<Quadratic>& losses) {
  double above = 0, below = 0;
  for (const Quadratic& loss : losses) {
    const double way = 1 - std::pow(1 - kRate * loss.curvature, static_cast<double>(loss.steps));
    above += static_cast<double>(loss.samples) * way * loss.optimum;
    below += static_cast<double>(loss.samples) * way;
  }
  return above / below;
}

// One round of FedAvg.
float MeanFrom(float x, const std::vector<Quadratic>& losses) {
  double sum = 0, weights = 0;
  for (const Quadratic& loss : losses) {
    QuadraticRunner runner(loss, kOptimizer);
    Model model = runner.GetParameters();
    model[0].tensor.floats()[0] = x;
    Must(runner.SetParameters(model));
    Must(runner.Train({}, {}));
    const auto weight = static_cast<double>(loss.samples);
    sum += weight * static_cast<double>(runner.GetParameters()[0].tensor.floats()[0]);
    weights += weight;
  }
  return x + static_cast<float>(sum / weights - static_cast<double>(x));
}

TEST(Scaffold, EndsAtTheOptimumWhereFedAvgEndsAtItsBiasedPoint) {
  float mean = 0;
  for (int round = 0; round < 100; ++round) mean = MeanFrom(mean, kTwo);
  EXPECT_NEAR(static_cast<double>(mean), WhereFedAvgEnds(kTwo), kClose);
  EXPECT_GT(std::abs(WhereFedAvgEnds(kTwo) - 8), 0.5);
  Scaffolded scaffold(kTwo);
  scaffold.Rounds(150);
  EXPECT_NEAR(scaffold.x(), 8, kClose);
}

TEST(Scaffold, WeighsSitesByTheirSamples) {
  EXPECT_GT(std::abs(WhereFedAvgEnds(kUnequal) - 6), 0.5);
  Scaffolded scaffold(kUnequal);
  scaffold.Rounds(150);
  EXPECT_NEAR(scaffold.x(), 6, kClose);
}

TEST(Scaffold, EndsThereTooIfSitesTakeDifferentNumbersOfSteps) {
  std::vector<Quadratic> losses = kUnequal;
  losses[0].steps = 3;
  losses[1].steps = 14;
  Scaffolded scaffold(losses);
  scaffold.Rounds(300);
  EXPECT_NEAR(scaffold.x(), 6, kClose);
}

TEST(Scaffold, EndsThereTooWithAnotherGlobalLearningRate) {
  Scaffolded scaffold(kUnequal, 0.5);
  scaffold.Rounds(300);
  EXPECT_NEAR(scaffold.x(), 6, kClose);
}

TEST(Scaffold, EndsThereTooIfOnlySomeTakePartInARound) {
  Scaffolded scaffold(kUnequal);
  RandomStream draws(1, "who takes part");
  for (int round = 0; round < 300; ++round) {
    scaffold.Round({{.site = static_cast<std::size_t>(draws.Below(2))}});
  }
  EXPECT_NEAR(scaffold.x(), 6, kClose);
}

// Sometimes one of the results is refused, or accepted and left out.
double AfterRefusals(Quadratics::Fate fate) {
  Scaffolded scaffold(kUnequal);
  RandomStream draws(1, "what is refused");
  for (int round = 0; round < 300; ++round) {
    const auto one = static_cast<std::size_t>(draws.Below(2));
    const bool refused = round < 200 && draws.Below(3) == 0;
    scaffold.Round(
        {{.site = one, .fate = refused ? fate : Quadratics::Fate::kCounts}, {.site = 1 - one}});
  }
  return scaffold.x();
}

TEST(Scaffold, EndsThereTooIfWhatDidNotCountIsNotRemembered) {
  EXPECT_NEAR(AfterRefusals(Quadratics::Fate::kRefused), 6, kClose);
}

TEST(Scaffold, EndsElsewhereIfWhatDidNotCountIsRemembered) {
  EXPECT_GT(std::abs(AfterRefusals(Quadratics::Fate::kRefusedButRemembered) - 6), 0.01)
      << "so the test before cannot fail";
}

// Three sites for a while, and then the first two alone.
double AfterOneHasLeft(bool forgets) {
  std::vector<Quadratic> losses = kUnequal;
  losses.push_back({.curvature = 2, .optimum = -5, .samples = 20});
  Scaffolded scaffold(losses);
  scaffold.Rounds(5);
  scaffold.Round(Scaffolded::First(2), forgets);
  scaffold.RoundsOf(2, 150);
  return scaffold.x();
}

TEST(Scaffold, EndsAtTheOptimumOfThoseWhoStayIfOneLeavesForGood) {
  EXPECT_NEAR(AfterOneHasLeft(true), 6, kClose);
}

TEST(Scaffold, EndsElsewhereIfWhatTheOneWhoLeftSentIsKept) {
  EXPECT_GT(std::abs(AfterOneHasLeft(false) - 6), 0.1) << "so the test before cannot fail";
}

TEST(Scaffold, TheModelHasTheSumOfAllParts) {
  Scaffolded scaffold(kUnequal);
  for (int round = 0; round < 20; ++round) {
    scaffold.Rounds(1);
    EXPECT_NEAR(scaffold.sum(), scaffold.part(0) + scaffold.part(1), 1e-3) << round;
    EXPECT_EQ(scaffold.samples(), 40);
  }
  scaffold.Round({{.site = 1}});
  scaffold.Round({{.site = 0, .fate = Quadratics::Fate::kRefused}});
  EXPECT_NEAR(scaffold.sum(), scaffold.part(0) + scaffold.part(1), 1e-3);
}

TEST(Scaffold, OfOneSiteIsFedAvgBitForBit) {
  Scaffolded scaffold({kTwo[1]});
  float mean = 0;
  for (int round = 0; round < 10; ++round) {
    scaffold.Rounds(1);
    mean = MeanFrom(mean, {kTwo[1]});
    EXPECT_EQ(scaffold.x(), static_cast<double>(mean)) << round;
  }
}

}  // namespace
}  // namespace fx::test
