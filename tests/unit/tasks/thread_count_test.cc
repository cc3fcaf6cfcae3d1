#include "tasks/thread_count.h"

#include <gtest/gtest.h>

#include "tests/support/networks.h"

namespace fx::test {
namespace {

// 784 . 200 + 200 . 200 + 200 . 10
NetworkSpec Mlp() {
  return MakeNetwork({784}, {Dense("one", 200), Relu("relu"), Dense("two", 200), Relu("relu2"),
                             Dense("three", 10)});
}

TEST(MultiplyAdds, OfDenseLayersAreTheirWeights) {
  EXPECT_EQ(MultiplyAdds(Mlp()), 198'800);
}

TEST(MultiplyAdds, OfAConvolutionAreItsWeightsForEachPixelItPutsOut) {
  const NetworkSpec network = MakeNetwork({3, 8, 6}, {Conv2d("conv", 5, 3, 0, 1)});
  EXPECT_EQ(MultiplyAdds(network), (5 * 3 * 3 * 3) * (6 * 4));
}

TEST(MultiplyAdds, OfGroupsAreFewer) {
  LayerSpec conv = Conv2d("conv", 8, 3, 1);
  conv.groups = 4;
  EXPECT_EQ(MultiplyAdds(MakeNetwork({4, 8, 8}, {conv})), (8 * 1 * 3 * 3) * (8 * 8));
}

TEST(MultiplyAdds, OfATransposedConvolutionAreItsWeightsForEachPixelItReads) {
  const LayerSpec wider = {.type = LayerType::kConvTranspose2d,
                           .name = "wider",
                           .filters = 5,
                           .kernel = {2, 2},
                           .stride = {2, 2}};
  EXPECT_EQ(MultiplyAdds(MakeNetwork({3, 4, 6}, {wider})), (3 * 5 * 2 * 2) * (4 * 6));
}

TEST(MultiplyAdds, OfRecurrentLayersAreTheirGatesForEachStep) {
  LayerSpec layer = {.type = LayerType::kLstm, .name = "memory", .units = 7};
  EXPECT_EQ(MultiplyAdds(MakeNetwork({10, 3}, {layer})), 10 * 4 * 7 * (3 + 7));
  layer.type = LayerType::kGru;
  EXPECT_EQ(MultiplyAdds(MakeNetwork({10, 3}, {layer})), 10 * 3 * 7 * (3 + 7));
}

TEST(MultiplyAdds, OfADenseLayerOverStepsAreItsWeightsForEachStep) {
  EXPECT_EQ(MultiplyAdds(MakeNetwork({10, 3}, {Dense("head", 5)})), 10 * 3 * 5);
}

TEST(WorthThreads, IsOneOfASmallNetworkHoweverManyCoresThereAre) {
  EXPECT_EQ(WorthThreads(Mlp(), 32, 64), 1);
}

TEST(WorthThreads, GrowsWithTheBatch) {
  EXPECT_EQ(WorthThreads(Mlp(), 256, 64), 6);
}

TEST(WorthThreads, GrowsWithTheWeightsThatTheOptimizerMoves) {
  LayerSpec embedding = {
      .type = LayerType::kEmbedding, .name = "words", .units = 128, .entries = 200'000};
  const NetworkSpec network = MakeNetwork({20}, {embedding, Flatten("flatten"), Dense("head", 2)});
  EXPECT_EQ(WorthThreads(network, 32, 64), 16);
}

TEST(WorthThreads, IsNoMoreThanTheCores) {
  EXPECT_EQ(WorthThreads(Mlp(), 256, 2), 2);
}

}  // namespace
}  // namespace fx::test
