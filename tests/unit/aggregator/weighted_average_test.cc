#include "aggregator/functions/weighted_average.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/unit/aggregator/reference_average.h"

namespace fx::aggregator {
namespace {

using testing::ElementsAreArray;

std::vector<float> Normal(std::size_t n, std::uint64_t seed) {
  RandomStream stream(seed, "test");
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(stream.NextNormal());
  return values;
}

std::vector<float> Fold(const std::vector<float>& base,
                        const std::vector<std::vector<float>>& updates,
                        const std::vector<double>& weights) {
  const std::vector<std::span<const float>> spans(updates.begin(), updates.end());
  std::vector<float> out(base.size());
  const Block block{.base = base, .updates = spans, .whole_scalar = base.size() == 1};
  WeightedAverage(weights).Fold(block, out);
  return out;
}

std::vector<std::uint32_t> Bits(std::span<const float> values) {
  std::vector<std::uint32_t> bits(values.size());
  std::memcpy(bits.data(), values.data(), values.size_bytes());
  return bits;
}

TEST(WeightedAverage, EqualsThePlainLoopBitForBit) {
  for (const std::size_t size : {2U, 3U, 4095U, 4096U, 4097U, 10'000U}) {
    for (std::size_t n = 1; n < 8; ++n) {
      std::vector<std::vector<float>> updates;
      std::vector<double> weights;
      for (std::size_t k = 0; k < n; ++k) {
        updates.push_back(Normal(size, 100 + k));
        weights.push_back(1.0 / static_cast<double>(3 * k + 1));
      }
      const std::vector<float> base = Normal(size, 1);
      ASSERT_THAT(Bits(Fold(base, updates, weights)),
                  ElementsAreArray(Bits(test::ReferenceAverage(base, updates, weights))))
          << size << " elements, " << n << " updates";
    }
  }
}

TEST(WeightedAverage, CutsAnywhereGiveTheSameBytes) {
  constexpr std::size_t kSize = 5000;
  const std::vector<float> base = Normal(kSize, 1);
  const std::vector<std::vector<float>> updates = {Normal(kSize, 2), Normal(kSize, 3)};
  const WeightedAverage average({0.3, 0.7});
  const std::vector<float> whole = Fold(base, updates, {0.3, 0.7});
  for (const std::size_t cut : {1U, 63U, 4095U, 4096U, 4999U}) {
    std::vector<float> out(kSize);
    for (const auto& [begin, n] :
         {std::pair<std::size_t, std::size_t>(0, cut), {cut, kSize - cut}}) {
      const std::vector<std::span<const float>> parts = {std::span(updates[0]).subspan(begin, n),
                                                         std::span(updates[1]).subspan(begin, n)};
      average.Fold({.base = std::span(base).subspan(begin, n), .updates = parts},
                   std::span(out).subspan(begin, n));
    }
    EXPECT_THAT(Bits(out), ElementsAreArray(Bits(whole))) << "cut at " << cut;
  }
}

TEST(WeightedAverage, OfEqualUpdatesIsTheUpdateWhenTheBaseIsZero) {
  const std::vector<float> update = Normal(1000, 5);
  const std::vector<float> zero(1000, 0.0F);
  EXPECT_EQ(Fold(zero, {update, update}, {0.5, 0.5}), update);
}

TEST(WeightedAverage, WeighsByTheWeights) {
  EXPECT_EQ(Fold({0.0F, 0.0F}, {{1.0F, 8.0F}, {5.0F, 0.0F}}, {0.25, 0.75}),
            (std::vector<float>{4.0F, 2.0F}));
}

// numpy itself, over the same numbers: one case after the other on the standard output of
// numpy_average.py.
class NumpyCases {
 public:
  NumpyCases()
      : pipe_(popen("/usr/bin/python3 '" FX_SOURCE_DIR "/tests/unit/aggregator/numpy_average.py'",
                    "r")) {}

  template <typename T>
  std::vector<T> Read(std::size_t n) {
    std::vector<T> values(n);
    if (std::fread(values.data(), sizeof(T), n, pipe_.get()) != n) values.clear();
    return values;
  }

 private:
  struct Close {
    void operator()(FILE* pipe) const { pclose(pipe); }
  };
  std::unique_ptr<FILE, Close> pipe_;
};

TEST(WeightedAverage, EqualsNumpyBitForBit) {
  NumpyCases cases;
  int count = 0;
  for (auto header = cases.Read<std::int32_t>(2); !header.empty();
       header = cases.Read<std::int32_t>(2), ++count) {
    const auto n = static_cast<std::size_t>(header[0]);
    const auto size = static_cast<std::size_t>(header[1]);
    const auto weights = cases.Read<double>(n);
    const auto base = cases.Read<float>(size);
    std::vector<std::vector<float>> updates;
    for (std::size_t k = 0; k < n; ++k) updates.push_back(cases.Read<float>(size));
    const auto expected = cases.Read<float>(size);
    ASSERT_EQ(expected.size(), size) << "numpy_average.py stopped early";
    ASSERT_THAT(Bits(Fold(base, updates, weights)), ElementsAreArray(Bits(expected)))
        << n << " updates of " << size << " elements";
  }
  EXPECT_EQ(count, 120) << "is python3-numpy installed?";
}

}  // namespace
}  // namespace fx::aggregator
