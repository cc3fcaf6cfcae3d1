// The parameters of every layer, as PyTorch shapes and orders them.
#include "plan/network_spec.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace fx {
namespace {

LayerSpec Layer(LayerType type, std::string name, Shape input) {
  LayerSpec layer;
  layer.type = type;
  layer.name = std::move(name);
  layer.input = std::move(input);
  return layer;
}

std::vector<std::string> Listed(const LayerSpec& layer) {
  std::vector<std::string> all;
  for (const TensorSpec& spec : ParameterLayout(layer)) {
    EXPECT_EQ(spec.dtype, DType::kFloat32);
    all.push_back(spec.name + " " + ToString(spec.shape));
  }
  return all;
}

using Names = std::vector<std::string>;

TEST(ParameterLayout, ListsWeightsThenBiases) {
  LayerSpec conv = Layer(LayerType::kConv2d, "c", {4, 8, 8});
  conv.filters = 6;
  conv.kernel = {3, 5};
  EXPECT_EQ(Listed(conv), (Names{"c.weight [6, 4, 3, 5]", "c.bias [6]"}));
  conv.groups = 2;
  conv.bias = false;
  EXPECT_EQ(Listed(conv), (Names{"c.weight [6, 2, 3, 5]"}));
  conv.type = LayerType::kConvTranspose2d;
  conv.groups = 1;
  conv.bias = true;
  EXPECT_EQ(Listed(conv), (Names{"c.weight [4, 6, 3, 5]", "c.bias [6]"}));
}

TEST(ParameterLayout, HasDenseLayersReadTheLastAxis) {
  LayerSpec dense = Layer(LayerType::kDense, "d", {20, 7});
  dense.units = 3;
  EXPECT_EQ(Listed(dense), (Names{"d.weight [3, 7]", "d.bias [3]"}));
}

TEST(ParameterLayout, HasTheStatisticsOfNorms) {
  EXPECT_EQ(Listed(Layer(LayerType::kBatchNorm, "b", {4, 8, 8})),
            (Names{"b.weight [4]", "b.bias [4]", "b.running_mean [4]", "b.running_var [4]"}));
  EXPECT_EQ(Listed(Layer(LayerType::kGroupNorm, "g", {4, 8, 8})),
            (Names{"g.weight [4]", "g.bias [4]"}));
  EXPECT_EQ(Listed(Layer(LayerType::kLayerNorm, "l", {20, 7})),
            (Names{"l.weight [7]", "l.bias [7]"}));
  EXPECT_TRUE(IsTrained("b.weight"));
  EXPECT_FALSE(IsTrained("b.running_mean"));
  EXPECT_FALSE(IsTrained("b.running_var"));
}

TEST(ParameterLayout, StacksTheGatesOfRecurrentLayers) {
  LayerSpec layer = Layer(LayerType::kLstm, "r", {20, 7});
  layer.units = 5;
  EXPECT_EQ(Listed(layer), (Names{"r.weight_ih [20, 7]", "r.weight_hh [20, 5]", "r.bias_ih [20]",
                                  "r.bias_hh [20]"}));
  layer.type = LayerType::kGru;
  EXPECT_EQ(Listed(layer), (Names{"r.weight_ih [15, 7]", "r.weight_hh [15, 5]", "r.bias_ih [15]",
                                  "r.bias_hh [15]"}));
}

TEST(ParameterLayout, HasATableForAnEmbedding) {
  LayerSpec layer = Layer(LayerType::kEmbedding, "e", {20});
  layer.entries = 96;
  layer.units = 8;
  EXPECT_EQ(Listed(layer), (Names{"e.weight [96, 8]"}));
}

TEST(ParameterLayout, GoesLayerAfterLayer) {
  LayerSpec first = Layer(LayerType::kDense, "b", {7}), second = Layer(LayerType::kDense, "a", {3});
  first.units = second.units = 3;
  second.bias = false;
  NetworkSpec network;
  network.layers = {first, Layer(LayerType::kRelu, "r", {3}), second};
  const Layout layout = ParameterLayout(network);
  ASSERT_EQ(layout.size(), 3U);
  EXPECT_EQ(layout[0].name, "b.weight");
  EXPECT_EQ(layout[2].name, "a.weight");
  EXPECT_EQ(ParameterLayout(network, 1).size(), 2U);
}

}  // namespace
}  // namespace fx
