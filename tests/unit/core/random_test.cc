#include "core/base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using testing::ElementsAre;

// Known-answer vectors of Random123 1.09, examples/kat_vectors, philox4x32 10.
TEST(Philox, AgreesWithItsAuthors) {
  EXPECT_THAT(Philox({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_THAT(Philox({ones, ones, ones, ones}, {ones, ones}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

// Published FNV-1a 64 values (Noll's test suite).
TEST(HashName, IsFnv1a) {
  EXPECT_EQ(HashName(""), 0xcbf29ce484222325U);
  EXPECT_EQ(HashName("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(HashName("foobar"), 0x85944171f73967e8U);
}

TEST(RandomStream, IsAFunctionOfWhatItIsMadeFrom) {
  RandomStream first(1, "shuffle", 2, 3, 4);
  RandomStream again(1, "shuffle", 2, 3, 4);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(first.NextU32(), again.NextU32());
}

// Computed apart, from the definition at RandomStream's constructor.
TEST(RandomStream, KeepsItsBytesFromReleaseToRelease) {
  RandomStream stream(42, "shuffle", 1, 2, 3);
  EXPECT_EQ(stream.NextU64(), 0x9bc18fb7fda43375U);
  EXPECT_EQ(stream.NextU32(), 0x8ab2f16aU);
}

TEST(RandomStream, DiffersWhereverAnythingItIsMadeFromDiffers) {
  std::set<std::uint64_t> seen;
  seen.insert(RandomStream(1, "shuffle", 2, 3, 4).NextU64());
  seen.insert(RandomStream(2, "shuffle", 2, 3, 4).NextU64());
  seen.insert(RandomStream(1, "init", 2, 3, 4).NextU64());
  seen.insert(RandomStream(1, "shuffle", 3, 2, 4).NextU64());
  seen.insert(RandomStream(1, "shuffle", 2, 4, 3).NextU64());
  seen.insert(RandomStream(1, "shuffle", 4, 3, 2).NextU64());
  seen.insert(RandomStream(1ULL << 32, "shuffle", 2, 3, 4).NextU64());
  seen.insert(RandomStream(1, "shuffle", 2ULL << 32, 3, 4).NextU64());
  seen.insert(RandomStream(1, "shuffle", 2, 3, 4ULL << 32).NextU64());
  EXPECT_EQ(seen.size(), 9U);
}

TEST(RandomStream, DrawsFloatsEvenlyFromZeroToOne) {
  RandomStream stream(7, "test");
  std::vector<int> bins(16);
  constexpr int kDraws = 160'000;
  for (int i = 0; i < kDraws; ++i) {
    const float x = stream.NextFloat();
    ASSERT_TRUE(x >= 0.0F && x < 1.0F) << x;
    ++bins[static_cast<std::size_t>(x * 16.0F)];
  }
  double chi2 = 0;
  for (const int n : bins) chi2 += std::pow(n - kDraws / 16, 2) / (kDraws / 16.0);
  EXPECT_LT(chi2, 37.7);  // 15 degrees of freedom, p = 0.001
}

TEST(RandomStream, DrawsEveryNumberBelowABoundEquallyOften) {
  RandomStream stream(8, "test");
  std::vector<int> counts(7);
  constexpr int kDraws = 70'000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(stream.Below(7));
  double chi2 = 0;
  for (const int n : counts) chi2 += std::pow(n - kDraws / 7, 2) / (kDraws / 7.0);
  EXPECT_LT(chi2, 22.5);  // 6 degrees of freedom, p = 0.001
}

// With the largest awkward bound a modulo would favour the lower half by two to one.
TEST(RandomStream, HasNoBiasForHugeBounds) {
  constexpr std::uint64_t kBound = 3ULL << 62;
  RandomStream stream(9, "test");
  int low = 0;
  constexpr int kDraws = 30'000;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t x = stream.Below(kBound);
    ASSERT_LT(x, kBound);
    low += x < kBound / 3 ? 1 : 0;
  }
  EXPECT_NEAR(low, kDraws / 3, 4 * std::sqrt(kDraws * 2 / 9.0));
  EXPECT_EQ(stream.Below(1), 0U);
}

TEST(RandomStream, DrawsNormalsWithTheRightMoments) {
  RandomStream stream(10, "test");
  constexpr int kDraws = 100'000;
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = stream.NextNormal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.013);
  EXPECT_NEAR(squares / kDraws, 1, 0.018);
  EXPECT_NEAR(fourth / kDraws, 3, 0.15);
}

TEST(Permutation, HoldsEveryIndexOnceInAnOrderOfTheStream) {
  const std::vector<std::uint32_t> order = Permutation(1000, RandomStream(1, "shuffle"));
  EXPECT_FALSE(std::ranges::is_sorted(order));
  EXPECT_EQ(order, Permutation(1000, RandomStream(1, "shuffle")));
  EXPECT_NE(order, Permutation(1000, RandomStream(2, "shuffle")));
  EXPECT_EQ((std::set<std::uint32_t>(order.begin(), order.end()).size()), 1000U);
  EXPECT_EQ(*std::ranges::max_element(order), 999U);
  EXPECT_TRUE(Permutation(0, RandomStream(1, "shuffle")).empty());
}

TEST(Permutation, ReachesEveryOrderEquallyOften) {
  std::vector<int> counts(27);
  constexpr int kDraws = 60'000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const auto p = Permutation(3, RandomStream(11, "test", i));
    ++counts[p[0] * 9 + p[1] * 3 + p[2]];
  }
  double chi2 = 0;
  for (const int n : counts) {
    if (n > 0) chi2 += std::pow(n - kDraws / 6, 2) / (kDraws / 6.0);
  }
  EXPECT_EQ(std::ranges::count(counts, 0), 21);
  EXPECT_LT(chi2, 20.5);  // 5 degrees of freedom, p = 0.001
}

}  // namespace
}  // namespace fx
