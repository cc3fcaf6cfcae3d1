// Aggregates that OpenFL itself computed; built only where they are at hand.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "aggregator/engine/metrics.h"
#include "aggregator/functions/weighted_average.h"
#include "core/base/file.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

std::vector<float> ReadFloats(const std::string& name) {
  const std::string bytes = ReadFile(Path(FX_GOLDEN_DIR) / name).value_or("");
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

class OpenFlAggregate : public testing::TestWithParam<int> {};

// Contribution k of n has k + 1 samples.
TEST_P(OpenFlAggregate, IsReproducedBitForBit) {
  const int n = GetParam();
  const std::vector<float> base = ReadFloats(format("agg_base_{}.f32", n));
  const std::vector<float> in = ReadFloats(format("agg_in_{}.f32", n));
  const std::vector<float> expected =
      ReadFloats(format("agg_out_{}_WeightedAverage_newmodel.f32", n));
  ASSERT_EQ(base.size(), 21U);
  ASSERT_EQ(in.size(), base.size() * static_cast<std::size_t>(n));

  std::vector<std::int64_t> samples(static_cast<std::size_t>(n));
  std::iota(samples.begin(), samples.end(), 1);
  std::vector<std::span<const float>> updates;
  for (std::size_t k = 0; k < samples.size(); ++k) {
    updates.push_back(std::span(in).subspan(k * base.size(), base.size()));
  }
  std::vector<float> out(base.size());
  WeightedAverage(SharesOf(samples)).Fold({.base = base, .updates = updates}, out);
  EXPECT_EQ(std::memcmp(out.data(), expected.data(), out.size() * sizeof(float)), 0);
}

INSTANTIATE_TEST_SUITE_P(Contributions, OpenFlAggregate, testing::Values(1, 2, 3, 8, 9));

}  // namespace
}  // namespace fx::aggregator
