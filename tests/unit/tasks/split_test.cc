#include "tasks/loaders/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/support/matchers.h"

namespace fx::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;
using ::testing::SizeIs;

// 1000 and 200 samples of 10 labels, sorted like no file would be.
class Split : public ::testing::Test {
 protected:
  static constexpr std::size_t kSites = 8;

  Split() {
    for (std::int32_t i = 0; i < 1000; ++i) train_.push_back(i * 7 % 10);
    for (std::int32_t i = 0; i < 200; ++i) validation_.push_back(i * 3 % 10);
  }

  Result<SiteSamples> Take(std::size_t site, std::size_t sites = kSites) const {
    return SplitSamples(spec_, {train_.size(), train_}, {validation_.size(), validation_}, site,
                        sites);
  }
  std::vector<std::vector<std::uint32_t>> TrainOfAll() const {
    std::vector<std::vector<std::uint32_t>> all;
    for (std::size_t k = 0; k < kSites; ++k) all.push_back(Take(k).value().train);
    return all;
  }
  // How many samples of each label.
  static std::vector<int> Histogram(const std::vector<std::uint32_t>& indices,
                                    const std::vector<std::int32_t>& labels) {
    std::vector<int> counts(10);
    for (const std::uint32_t i : indices) ++counts[static_cast<std::size_t>(labels[i])];
    return counts;
  }
  static std::size_t LabelsIn(const std::vector<int>& counts) {
    return static_cast<std::size_t>(std::ranges::count_if(counts, [](int n) { return n > 0; }));
  }
  // Half the sum of what each site's label shares differ from the whole's (0.1 each), averaged.
  double Skew() const {
    double skew = 0;
    for (const auto& indices : TrainOfAll()) {
      for (const int n : Histogram(indices, train_))
        skew += std::abs(n / static_cast<double>(indices.size()) - 0.1) / 2 / kSites;
    }
    return skew;
  }

  SplitSpec spec_;
  std::vector<std::int32_t> train_, validation_;
};

class DisjointSplit : public Split, public ::testing::WithParamInterface<SplitType> {};

TEST_P(DisjointSplit, GivesEachSampleOfBothPartsToOneSite) {
  spec_.type = GetParam();
  std::vector<std::uint32_t> train, validation;
  for (std::size_t k = 0; k < kSites; ++k) {
    const SiteSamples mine = Take(k).value();
    EXPECT_TRUE(std::ranges::is_sorted(mine.train));
    EXPECT_TRUE(std::ranges::is_sorted(mine.validation));
    EXPECT_THAT(mine.train, SizeIs(AllOf(Ge(124U), Le(126U))));
    EXPECT_THAT(mine.validation, SizeIs(AllOf(Ge(24U), Le(26U))));
    train.insert(train.end(), mine.train.begin(), mine.train.end());
    validation.insert(validation.end(), mine.validation.begin(), mine.validation.end());
  }
  std::ranges::sort(train);
  std::ranges::sort(validation);
  std::vector<std::uint32_t> all(1000);
  std::iota(all.begin(), all.end(), 0U);
  EXPECT_EQ(train, all);
  all.resize(200);
  EXPECT_EQ(validation, all);
}

TEST_P(DisjointSplit, DiffersFromSeedToSeedOnlyWhereItDraws) {
  spec_.type = GetParam();
  const auto first = TrainOfAll();
  EXPECT_EQ(TrainOfAll(), first);
  spec_.seed = 2;
  const bool draws = GetParam() != SplitType::kRoundRobin && GetParam() != SplitType::kContiguous;
  EXPECT_EQ(TrainOfAll() != first, draws);
}

TEST_P(DisjointSplit, LeavesNoSiteWithoutSamplesWhenThereAreJustEnough) {
  spec_ = {.type = GetParam(), .alpha = 1e-3, .shards_per_site = 1};
  for (std::size_t k = 0; k < 200; ++k) {
    const SiteSamples mine = Take(k, 200).value();
    EXPECT_THAT(mine.train, SizeIs(5));
    EXPECT_THAT(mine.validation, SizeIs(1));
  }
  EXPECT_THAT(Take(0, 201), IsError(ErrorCode::kInvalidArgument, "only 200 samples, 201"));
}

INSTANTIATE_TEST_SUITE_P(OfEachType, DisjointSplit,
                         ::testing::Values(SplitType::kRoundRobin, SplitType::kContiguous,
                                           SplitType::kRandom, SplitType::kDirichlet,
                                           SplitType::kPathological));

TEST_F(Split, RoundRobinDealsInTurnAndContiguousCutsBlocks) {
  const SplitPart part{.size = 7, .labels = {}};
  EXPECT_THAT(SplitSamples(spec_, part, part, 0, 3).value().train, ElementsAre(0, 3, 6));
  EXPECT_THAT(SplitSamples(spec_, part, part, 2, 3).value().train, ElementsAre(2, 5));
  spec_.type = SplitType::kContiguous;
  EXPECT_THAT(SplitSamples(spec_, part, part, 0, 3).value().train, ElementsAre(0, 1, 2));
  EXPECT_THAT(SplitSamples(spec_, part, part, 2, 3).value().train, ElementsAre(5, 6));
}

TEST_F(Split, PathologicalShardsHoldFewLabelsAndTheSameOnesInBothParts) {
  spec_.type = SplitType::kPathological;
  for (std::size_t k = 0; k < 5; ++k) {  // ten shards of one label each
    const SiteSamples mine = Take(k, 5).value();
    const std::vector<int> train = Histogram(mine.train, train_);
    const std::vector<int> validation = Histogram(mine.validation, validation_);
    EXPECT_EQ(LabelsIn(train), 2U);
    for (std::size_t label = 0; label < 10; ++label)
      EXPECT_EQ(train[label] > 0, validation[label] > 0) << label;
  }
}

TEST_F(Split, DirichletSkewsLabelsTheMoreTheSmallerAlphaIs) {
  spec_ = {.type = SplitType::kDirichlet, .alpha = 1e5};
  const double even = Skew();
  spec_.alpha = 10;
  const double some = Skew();
  spec_.alpha = 0.1;
  const double strong = Skew();
  EXPECT_LT(even, 0.15);
  EXPECT_GT(some, even + 0.1);
  EXPECT_GT(strong, some + 0.1);
}

TEST_F(Split, DirichletGivesASiteTheSameSkewInBothParts) {
  spec_ = {.type = SplitType::kDirichlet, .alpha = 0.05};
  const SiteSamples mine = Take(0).value();  // the first draws from full pools
  const std::vector<int> train = Histogram(mine.train, train_);
  const std::vector<int> validation = Histogram(mine.validation, validation_);
  EXPECT_THAT(LabelsIn(train), Le(4U));
  EXPECT_EQ(std::ranges::max_element(train) - train.begin(),
            std::ranges::max_element(validation) - validation.begin());
}

TEST_F(Split, OverlappingGivesEverySiteTheShareAndDealsOutTheRest) {
  spec_ = {.type = SplitType::kOverlapping, .share = 0.2};
  std::vector<int> holders(1000);
  for (const auto& indices : TrainOfAll()) {
    EXPECT_THAT(indices, SizeIs(200 + 800 / kSites));
    for (const std::uint32_t i : indices) ++holders[i];
  }
  EXPECT_EQ(std::ranges::count(holders, static_cast<int>(kSites)), 200);
  EXPECT_EQ(std::ranges::count(holders, 1), 800);
}

TEST_F(Split, ByLabelIsRefusedForDataWithoutLabels) {
  spec_.type = SplitType::kDirichlet;
  EXPECT_THAT(SplitSamples(spec_, {.size = 10, .labels = {}}, {.size = 10, .labels = {}}, 0, 2),
              IsError(ErrorCode::kInvalidArgument, "no classes"));
}

TEST(HoldOut, DrawsTheShareAndKeepsTheRest) {
  const SiteSamples parts = HoldOut(100, 0.25, 1);
  EXPECT_THAT(parts.validation, SizeIs(25));
  std::set<std::uint32_t> all(parts.train.begin(), parts.train.end());
  all.insert(parts.validation.begin(), parts.validation.end());
  EXPECT_THAT(all, SizeIs(100));
  EXPECT_EQ(HoldOut(100, 0.25, 1).validation, parts.validation);
  EXPECT_NE(HoldOut(100, 0.25, 2).validation, parts.validation);
}

TEST(HoldOut, LeavesNeitherPartEmpty) {
  EXPECT_THAT(HoldOut(2, 0.01, 1).validation, SizeIs(1));
  EXPECT_THAT(HoldOut(2, 0.99, 1).train, SizeIs(1));
}

}  // namespace
}  // namespace fx::test
