#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/random.h"
#include "tasks/task_runner.h"
#include "tests/support/matchers.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

NetworkSpec TwoLayers() {
  return MakeNetwork({3, 4, 4}, {Conv2d("conv", 50, 3, 1), Flatten("flatten"), Dense("dense", 10)});
}

// The extremes of many uniform draws lie close to the bounds.
void ExpectUniform(const Tensor& tensor, double bound, double slack) {
  const auto [low, high] = std::ranges::minmax(tensor.floats());
  EXPECT_LE(high, bound);
  EXPECT_GE(low, -bound);
  EXPECT_GT(high, bound * (1 - slack));
  EXPECT_LT(low, -bound * (1 - slack));
}

TEST(InitialModel, HasThePlansLayout) {
  const NetworkSpec network = TwoLayers();
  EXPECT_EQ(LayoutOf(InitialModel(network)), ParameterLayout(network));
}

TEST(InitialModel, DrawsWithinTheBoundsOfTheFanIn) {
  const Model model = InitialModel(TwoLayers());
  ExpectUniform(model[0].tensor, std::sqrt(6.0 / (3 * 3 * 3)), 0.01);
  ExpectUniform(model[1].tensor, 1 / std::sqrt(3.0 * 3 * 3), 0.2);
  ExpectUniform(model[2].tensor, std::sqrt(6.0 / (50 * 4 * 4)), 0.01);
  ExpectUniform(model[3].tensor, 1 / std::sqrt(50.0 * 4 * 4), 1);
}

// A federation that was begun can be begun again: the digests are those of the first release.
TEST(InitialModel, KeepsItsBits) {
  std::vector<std::uint64_t> hashes;
  for (const NamedTensor& entry : InitialModel(TwoLayers())) {
    const std::span<const float> values = entry.tensor.floats();
    hashes.push_back(HashName({reinterpret_cast<const char*>(values.data()), values.size_bytes()}));
  }
  EXPECT_EQ(hashes, (std::vector<std::uint64_t>{0x437f040b661b1846, 0x615adf3be2e55556,
                                                0x4857eedd94e5fd8e, 0x55bf4938f420626a}));
}

TEST(InitialModel, CountsTheInputsOfGroupedAndTransposedConvolutions) {
  LayerSpec grouped = Conv2d("grouped", 64, 3, 1);
  grouped.groups = 4;
  LayerSpec transposed = Conv2d("transposed", 32, 2);
  transposed.type = LayerType::kConvTranspose2d;
  const Model model = InitialModel(MakeNetwork({16, 8, 8}, {grouped, transposed}));
  ExpectUniform(model[0].tensor, std::sqrt(6.0 / (4 * 3 * 3)), 0.02);
  ExpectUniform(model[1].tensor, 1 / std::sqrt(4.0 * 3 * 3), 0.2);
  ExpectUniform(model[2].tensor, std::sqrt(6.0 / (32 * 2 * 2)), 0.02);
  ExpectUniform(model[3].tensor, 1 / std::sqrt(32.0 * 2 * 2), 0.3);
}

void ExpectAll(const Tensor& tensor, float wanted) {
  EXPECT_EQ(std::ranges::count(tensor.floats(), wanted), NumElements(tensor.shape()));
}

TEST(InitialModel, StartsNormsAsNothing) {
  LayerSpec batch = Relu("batch"), group = Relu("group"), layer = Relu("layer");
  batch.type = LayerType::kBatchNorm;
  group.type = LayerType::kGroupNorm;
  layer.type = LayerType::kLayerNorm;
  const Model model =
      InitialModel(MakeNetwork({4, 2, 2}, {batch, group, Flatten("flatten"), layer}));
  ASSERT_EQ(model.size(), 8U);
  const std::vector<float> wanted = {1, 0, 0, 1, 1, 0, 1, 0};
  for (std::size_t i = 0; i < model.size(); ++i) ExpectAll(model[i].tensor, wanted[i]);
}

TEST(InitialModel, DrawsEmbeddingsFromTheNormalDistribution) {
  LayerSpec embedding = Dense("embedding", 50);
  embedding.type = LayerType::kEmbedding;
  embedding.entries = 400;
  const Model model = InitialModel(MakeNetwork({6}, {embedding}));
  double sum = 0, squares = 0;
  for (const float value : model[0].tensor.floats()) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  EXPECT_NEAR(sum / 20000, 0, 0.03);
  EXPECT_NEAR(squares / 20000, 1, 0.04);
}

TEST(InitialModel, DrawsRecurrentLayersWithinOneBound) {
  LayerSpec lstm = Dense("lstm", 64);
  lstm.type = LayerType::kLstm;
  const Model model = InitialModel(MakeNetwork({6, 9}, {lstm}));
  ASSERT_EQ(model.size(), 4U);
  for (const NamedTensor& entry : model) ExpectUniform(entry.tensor, 1 / std::sqrt(64.0), 0.05);
}

TEST(InitialModel, DependsOnTheSeedAndNothingElse) {
  NetworkSpec network = TwoLayers();
  const Model one = InitialModel(network), again = InitialModel(network);
  network.seed = 2;
  const Model other = InitialModel(network);
  for (std::size_t t = 0; t < one.size(); ++t) {
    EXPECT_TRUE(std::ranges::equal(one[t].tensor.floats(), again[t].tensor.floats()));
    EXPECT_FALSE(std::ranges::equal(one[t].tensor.floats(), other[t].tensor.floats()));
  }
}

}  // namespace
}  // namespace fx::test
