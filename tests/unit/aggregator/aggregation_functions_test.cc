// The aggregation functions, on numbers small enough to be worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "aggregator/functions/registry.h"
#include "aggregator/functions/squares.h"
#include "core/base/random.h"

namespace fx::aggregator {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using Floats = std::vector<float>;

Contributors Equal(std::size_t sites) {
  return {.shares = std::vector<double>(sites, 1.0 / static_cast<double>(sites)), .steps = {}};
}

// The next model, of one tensor.
Floats Aggregate(const std::string& name, const Settings& settings, const Floats& base,
                 const std::vector<Floats>& updates, const Contributors& contributors) {
  const auto function = MakeAggregationFunction(name, settings, contributors);
  const std::vector<std::span<const float>> spans(updates.begin(), updates.end());
  const Block block{.base = base, .updates = spans};
  std::vector<double> squares(SquaresFor(function->needs(), updates.size()), 0.0);
  if (!squares.empty()) AddSquares(function->needs(), block, squares);
  function->Learn(squares);
  Floats out(base.size());
  function->Fold(block, out);
  return out;
}

Floats Aggregate(const std::string& name, const Settings& settings, const Floats& base,
                 const std::vector<Floats>& updates) {
  return Aggregate(name, settings, base, updates, Equal(updates.size()));
}

std::vector<Floats> Normal(std::size_t sites, std::size_t size) {
  std::vector<Floats> updates(sites, Floats(size));
  for (std::size_t k = 0; k < sites; ++k) {
    RandomStream stream(k, "updates");
    for (float& x : updates[k]) x = static_cast<float>(stream.NextNormal());
  }
  return updates;
}

TEST(Median, IsTheMiddleValueOfEachElement) {
  EXPECT_THAT(Aggregate("Median", {}, {9, 9}, {{1, 5}, {3, -2}, {2, 100}}), ElementsAre(2, 5));
  EXPECT_THAT(Aggregate("Median", {}, {9, 9}, {{1, 5}, {3, -2}, {2, 100}, {8, 6}}),
              ElementsAre(2.5F, 5.5F));
}

TEST(Median, OfOneUpdateIsTheUpdate) {
  EXPECT_THAT(Aggregate("Median", {}, {0, 0}, {{0.1F, -7}}), ElementsAre(0.1F, -7));
}

TEST(Median, StaysAmongTheHonestAsLongAsTheyAreMore) {
  EXPECT_THAT(Aggregate("Median", {}, {0}, {{1}, {1e30F}, {2}, {-1e30F}, {3}}), ElementsAre(2));
  EXPECT_THAT(Aggregate("Median", {}, {0}, {{1}, {1e30F}, {2}, {1e30F}, {3}}), ElementsAre(3));
  EXPECT_THAT(Aggregate("Median", {}, {0}, {{1}, {1e30F}, {1e30F}, {1e30F}, {3}}),
              ElementsAre(1e30F));
}

TEST(TrimmedMean, LeavesOutAsManyAtEachEnd) {
  const std::vector<Floats> updates = {{1}, {100}, {4}, {-100}, {7}};
  EXPECT_THAT(Aggregate("TrimmedMean", {{"trim", 0.2}}, {0}, updates), ElementsAre(4));
  EXPECT_THAT(Aggregate("TrimmedMean", {{"trim", 0.4}}, {0}, updates), ElementsAre(4));
  EXPECT_THAT(Aggregate("TrimmedMean", {{"trim", 0.2}}, {0}, {{1}, {2}, {3}, {10}, {50}}),
              ElementsAre(5));
}

TEST(TrimmedMean, CutsWholeUpdatesDownButForRounding) {
  const std::vector<Floats> ten = {{0}, {0}, {0}, {6}, {6}, {6}, {6}, {99}, {99}, {99}};
  EXPECT_THAT(Aggregate("TrimmedMean", {{"trim", 0.3}}, {0}, ten), ElementsAre(6));
  EXPECT_THAT(Aggregate("TrimmedMean", {{"trim", 0.29}}, {0}, ten),
              ElementsAre(FloatEq((4 * 6 + 99.0F) / 6)));
  std::vector<Floats> hundred(100, Floats{1});  // 0.29 * 100 < 29 in doubles
  for (std::size_t k = 0; k < 29; ++k) hundred[k] = {1e20F};
  EXPECT_THAT(Aggregate("TrimmedMean", {{"trim", 0.29}}, {0}, hundred), ElementsAre(1));
}

TEST(TrimmedMean, WithNothingCutIsTheMeanToRounding) {
  const auto updates = Normal(7, 500);
  const Floats base(500, 0.0F);
  const Floats mean = Aggregate("WeightedAverage", {}, base, updates);
  const Floats trimmed = Aggregate("TrimmedMean", {{"trim", 0}}, base, updates);
  for (std::size_t i = 0; i < mean.size(); ++i) ASSERT_FLOAT_EQ(trimmed[i], mean[i]);
}

TEST(TrimmedMean, WithstandsTheShareThatIsCutAndNoMore) {
  std::vector<Floats> updates(10, Floats{1});
  updates[0] = updates[5] = {1e9F};
  EXPECT_THAT(Aggregate("TrimmedMean", {{"trim", 0.2}}, {0}, updates), ElementsAre(1));
  updates[7] = {1e9F};
  EXPECT_GT(Aggregate("TrimmedMean", {{"trim", 0.2}}, {0}, updates)[0], 1e8F);
}

TEST(NormClipping, ShortensChangesThatAreTooLong) {
  // (3, 4) is 5 long and becomes (1.5, 2); (0, 1) stays.
  EXPECT_THAT(Aggregate("NormClipping", {{"max_norm", 2.5}}, {10, 20}, {{13, 24}, {10, 21}}),
              ElementsAre(FloatEq(10.75F), FloatEq(21.5F)));
}

TEST(NormClipping, IsTheWeightedAverageBitForBitWhereNothingIsTooLong) {
  const auto updates = Normal(9, 300);
  const Floats base(300, 0.25F);
  Contributors sites = Equal(9);
  for (std::size_t k = 0; k < 9; ++k) sites.shares[k] = 1.0 / static_cast<double>(k + 3);
  EXPECT_EQ(Aggregate("NormClipping", {{"max_norm", 1e6}}, base, updates, sites),
            Aggregate("WeightedAverage", {}, base, updates, sites));
}

TEST(NormClipping, BoundsWhatAnAttackerMoves) {
  const Floats next = Aggregate("NormClipping", {{"max_norm", 1}}, {0, 0}, {{0, 0}, {1e20F, 0}});
  EXPECT_THAT(next, ElementsAre(FloatEq(0.5F), 0));
}

TEST(GeometricMedian, OfThreePointsOnALineIsTheMiddleOne) {
  EXPECT_THAT(Aggregate("GeometricMedian", {}, {0}, {{0}, {1}, {100}}),
              ElementsAre(FloatNear(1, 2e-3F)));
}

// Each side of an equilateral triangle is seen at 120 degrees from its centre.
TEST(GeometricMedian, OfATriangleIsItsFermatPoint) {
  const float height = std::sqrt(3.0F);
  EXPECT_THAT(Aggregate("GeometricMedian", {}, {0, 0}, {{-1, 0}, {1, 0}, {0, height}}),
              ElementsAre(FloatNear(0, 1e-5F), FloatNear(height / 3, 1e-5F)));
  // With an angle of 120 degrees or more it is that corner.
  EXPECT_THAT(Aggregate("GeometricMedian", {}, {0, 0}, {{-10, 0}, {10, 0}, {0, 1}}),
              ElementsAre(FloatNear(0, 1e-3F), FloatNear(1, 1e-3F)));
}

TEST(GeometricMedian, WeighsSitesByTheirSamples) {
  EXPECT_THAT(
      Aggregate("GeometricMedian", {}, {0}, {{0}, {1}}, {.shares = {0.7, 0.3}, .steps = {}}),
      ElementsAre(FloatNear(0, 1e-3F)));
}

TEST(GeometricMedian, OfLessThanHalfAttackersStaysNearTheHonest) {
  std::vector<Floats> updates = Normal(10, 50);
  const Floats base(50, 0.0F);
  for (const float far : {1e2F, 1e6F, 1e12F}) {
    for (std::size_t k = 0; k < 4; ++k) updates[k].assign(50, far);
    double square = 0;
    for (const float x : Aggregate("GeometricMedian", {}, base, updates)) {
      square += static_cast<double>(x) * static_cast<double>(x);
    }
    EXPECT_LT(std::sqrt(square), 15) << "honest updates are about 7 long";
  }
}

TEST(Krum, ChoosesTheUpdateNearestToItsNeighbours) {
  // n = 5, f = 1: the two nearest. Scores: 0: 1+4, 1: 1+1, 2: 1+4, 10: 64+81, 50: 1600+2304.
  EXPECT_THAT(Aggregate("Krum", {{"attackers", 1}}, {7}, {{0}, {50}, {2}, {1}, {10}}),
              ElementsAre(1));
}

TEST(Krum, TakesTheUpdateAsItIs) {
  EXPECT_THAT(Aggregate("Krum", {{"attackers", 0}}, {1e8F}, {{0.1F}, {0.1F}, {0.1F}}),
              ElementsAre(0.1F));
}

TEST(Krum, WithstandsAttackersThatAgreeWithEachOther) {
  std::vector<Floats> updates = Normal(10, 20);
  for (const std::size_t k : {2U, 3U, 7U}) updates[k].assign(20, 1e3F);
  const Floats next = Aggregate("Krum", {{"attackers", 3}}, Floats(20, 0.0F), updates);
  EXPECT_LT(next[0], 10);
}

TEST(Krum, OfFewerUpdatesThanItsPromiseNeedsWithstandsFewerAttackers) {
  EXPECT_THAT(Aggregate("Krum", {{"attackers", 3}}, {0}, {{4}}), ElementsAre(4));
  EXPECT_THAT(Aggregate("Krum", {{"attackers", 3}}, {0}, {{4}, {5}}), ElementsAre(4));
  EXPECT_THAT(Aggregate("Krum", {{"attackers", 3}}, {0}, {{9}, {5}, {4}}), ElementsAre(5));
}

TEST(MultiKrum, AveragesTheBest) {
  const std::vector<Floats> updates = {{0}, {50}, {2}, {1}, {10}};
  EXPECT_THAT(Aggregate("MultiKrum", {{"attackers", 1}, {"selected", 3}}, {0}, updates),
              ElementsAre(1));
  // 0 and 2 have equal scores; 0 comes first. The default is n - f - 2 = 2.
  EXPECT_THAT(Aggregate("MultiKrum", {{"attackers", 1}}, {0}, updates), ElementsAre(0.5F));
}

TEST(MultiKrum, OfAllIsTheMeanToRounding) {
  const auto updates = Normal(6, 100);
  const Floats base(100, 0.0F);
  const Floats all = Aggregate("MultiKrum", {{"attackers", 0}, {"selected", 6}}, base, updates);
  const Floats mean = Aggregate("WeightedAverage", {}, base, updates);
  for (std::size_t i = 0; i < all.size(); ++i) ASSERT_FLOAT_EQ(all[i], mean[i]);
}

TEST(WeightedAverage, BreaksUnderASingleAttacker) {
  EXPECT_GT(Aggregate("WeightedAverage", {}, {0}, {{1}, {1}, {1}, {1e9F}})[0], 1e8F);
}

TEST(Squares, OfPairsAreInTheirOrder) {
  const std::vector<Floats> updates = {{0, 0}, {3, 4}, {0, 1}};
  const std::vector<std::span<const float>> spans(updates.begin(), updates.end());
  const Floats base = {0, 2};
  const Block block{.base = base, .updates = spans};
  std::vector<double> pairs(SquaresFor(AggregationFunction::Needs::kDistances, 3), 1.0);
  AddSquares(AggregationFunction::Needs::kDistances, block, pairs);
  EXPECT_THAT(pairs, ElementsAre(26, 2, 19));
  std::vector<double> norms(SquaresFor(AggregationFunction::Needs::kNorms, 3), 0.0);
  AddSquares(AggregationFunction::Needs::kNorms, block, norms);
  EXPECT_THAT(norms, ElementsAre(4, 13, 1));
}

}  // namespace
}  // namespace fx::aggregator
