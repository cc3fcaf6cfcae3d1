// Both parts of FedCurv together, on two sites whose losses are quadratic and tell their curvature
// exactly: where it ends is known in closed form.
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "tasks/curvature.h"
#include "tests/integration/quadratics.h"
#include "tests/support/quadratic.h"

namespace fx::test {
namespace {

constexpr double kRate = 0.05;
constexpr double kClose = 1e-4;  // numbers are float32
const OptimizerSpec kOptimizer = {.learning_rate = kRate};

class Curved : public Quadratics {
 public:
  Curved(std::vector<Quadratic> losses, double lambda)
      : Quadratics(
            std::move(losses), kOptimizer,
            {.function = "FedCurv", .settings = {{"lambda", lambda}}, .curvature = true},
            [](auto runner) { return WithCurvature(OptTreatment::kReset, std::move(runner)); }) {}

  double u() const { return sum(0); }
  double v() const { return sum(1); }
  // Where a site ended when it last counted.
  double end(std::size_t site) const { return part(site, 1) / part(site, 0); }
};

class Averaged : public Quadratics {
 public:
  explicit Averaged(std::vector<Quadratic> losses)
      : Quadratics(std::move(losses), kOptimizer, {}, [](auto runner) { return runner; }) {}
};

// (1 * 2 + 3 * 10) / (1 + 3) = 8
const std::vector<Quadratic> kTwo = {{.curvature = 1, .optimum = 2},
                                     {.curvature = 3, .optimum = 10}};
const std::vector<Quadratic> kUnequal = {{.curvature = 1, .optimum = 2, .samples = 30, .steps = 7},
                                         {.curvature = 3, .optimum = 10, .samples = 10}};

struct Ends {
  double first, second, mean;
};

// A site that is handed m, and held at the other's end y_j by a = 2 lambda h_j, goes from m towards
// the optimum of both, t_k = (h_k o_k + a y_j) / (h_k + a), and ends at
//
//   y_k = (1 - r_k) t_k + r_k m    r_k = (1 - rate (h_k + a))^steps, m = p_1 y_1 + p_2 y_2
//
// where nothing moves any more: two equations in y_1 and y_2.
Ends WhereItEnds(const std::vector<Quadratic>& losses, double lambda) {
  const auto samples = static_cast<double>(losses[0].samples + losses[1].samples);
  double own[2], other[2], right[2], share[2];
  for (const std::size_t k : {0U, 1U}) {
    const double h = losses[k].curvature, a = 2 * lambda * losses[1 - k].curvature;
    const double left = std::pow(1 - kRate * (h + a), static_cast<double>(losses[k].steps));
    share[k] = static_cast<double>(losses[k].samples) / samples;
    own[k] = 1 - left * share[k];
    other[k] = -(1 - left) * a / (h + a) - left * (1 - share[k]);
    right[k] = (1 - left) * h * losses[k].optimum / (h + a);
  }
  const double determinant = own[0] * own[1] - other[0] * other[1];
  const double first = (right[0] * own[1] - other[0] * right[1]) / determinant;
  const double second = (own[0] * right[1] - right[0] * other[1]) / determinant;
  return {.first = first, .second = second, .mean = share[0] * first + share[1] * second};
}

TEST(FedCurv, EndsWhereThePenalisedLossesKeepTheSitesInBalance) {
  for (const std::vector<Quadratic>& losses : {kTwo, kUnequal}) {
    for (const double lambda : {0.0, 0.1, 0.5, 2.0}) {
      Curved curved(losses, lambda);
      curved.Rounds(500);
      const Ends expected = WhereItEnds(losses, lambda);
      EXPECT_NEAR(curved.x(), expected.mean, kClose) << lambda;
      EXPECT_NEAR(curved.end(0), expected.first, kClose) << lambda;
      EXPECT_NEAR(curved.end(1), expected.second, kClose) << lambda;
    }
  }
}

TEST(FedCurv, TheFirmerTheSitesHoldEachOtherTheNearerTheyEnd) {
  double before = 8;
  for (const double lambda : {0.0, 0.1, 0.5, 2.0}) {
    const Ends ends = WhereItEnds(kTwo, lambda);
    EXPECT_LT(ends.second - ends.first, 0.8 * before)
        << "so the test before can tell lambdas apart";
    before = ends.second - ends.first;
  }
}

// With lambda 1/2 the penalty is the other's loss but for a constant, if that ended at its optimum:
// after that, each site alone finds the optimum of both.
TEST(FedCurv, FindsTheOptimumOfAllInTheSecondRoundIfSitesTrainToTheirEnds) {
  std::vector<Quadratic> losses = kTwo;
  for (Quadratic& loss : losses) loss.steps = 500;
  Curved curved(losses, 0.5);
  curved.Rounds(1);
  EXPECT_NEAR(curved.x(), (2 + 10) / 2.0, kClose);
  curved.Rounds(1);
  EXPECT_NEAR(curved.end(0), 8, kClose);
  EXPECT_NEAR(curved.end(1), 8, kClose);
}

TEST(FedCurv, WithLambdaZeroIsFedAvgBitForBit) {
  Curved curved(kUnequal, 0);
  Averaged averaged(kUnequal);
  for (int round = 0; round < 20; ++round) {
    curved.Rounds(1);
    averaged.Rounds(1);
    EXPECT_EQ(curved.x(), averaged.x()) << round;
  }
  EXPECT_EQ(curved.u(), 4) << "and the curvatures were added up";
}

TEST(FedCurv, OfOneSiteIsFedAvgBitForBit) {
  Curved curved({kTwo[1]}, 5);
  Averaged averaged({kTwo[1]});
  for (int round = 0; round < 10; ++round) {
    curved.Rounds(1);
    averaged.Rounds(1);
    EXPECT_EQ(curved.x(), averaged.x()) << round;
  }
}

TEST(FedCurv, TheModelHasTheSumOfAllPartsWhoeverTakesPart) {
  std::vector<Quadratic> losses = kUnequal;
  losses.push_back({.curvature = 2, .optimum = -5, .samples = 5});
  Curved curved(losses, 0.5);
  curved.Rounds(1);
  RandomStream draws(1, "who takes part");
  for (int round = 0; round < 50; ++round) {
    const auto one = static_cast<std::size_t>(draws.Below(3));
    const bool refused = draws.Below(3) == 0;
    curved.Round({{.site = one},
                  {.site = (one + 1) % 3,
                   .fate = refused ? Curved::Fate::kRefused : Curved::Fate::kCounts}});
    EXPECT_NEAR(curved.u(), curved.part(0, 0) + curved.part(1, 0) + curved.part(2, 0), kClose);
    EXPECT_NEAR(curved.v(), curved.part(0, 1) + curved.part(1, 1) + curved.part(2, 1), kClose);
  }
}

// It is held where site 0 was, in whose absence it has the model to itself.
TEST(FedCurv, ASiteThatIsAwayStillHoldsTheOthers) {
  Curved curved(kTwo, 0.5);
  curved.Rounds(1);
  const double away = curved.end(0);
  for (int round = 0; round < 100; ++round) curved.Round({{.site = 1}});
  EXPECT_NEAR(curved.x(), (3 * 10 + 1 * away) / (3 + 1), kClose);
  EXPECT_GT(std::abs(curved.x() - 10), 1);
}

}  // namespace
}  // namespace fx::test
