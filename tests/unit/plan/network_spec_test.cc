#include "plan/network_spec.h"

#include <gtest/gtest.h>

namespace fx {
namespace {

LayerSpec Layer(LayerType type, std::string name) {
  LayerSpec layer;
  layer.type = type;
  layer.name = std::move(name);
  return layer;
}

LayerSpec Conv(std::string name, std::int64_t filters, std::int64_t kernel, std::int64_t padding) {
  LayerSpec layer = Layer(LayerType::kConv2d, std::move(name));
  layer.filters = filters;
  layer.kernel[0] = layer.kernel[1] = kernel;
  layer.padding[0] = layer.padding[1] = padding;
  return layer;
}

LayerSpec Pool(std::int64_t kernel) {
  LayerSpec layer = Layer(LayerType::kMaxPool, "pool");
  layer.kernel[0] = layer.kernel[1] = layer.stride[0] = layer.stride[1] = kernel;
  return layer;
}

LayerSpec Dense(std::string name, std::int64_t units) {
  LayerSpec layer = Layer(LayerType::kDense, std::move(name));
  layer.units = units;
  return layer;
}

NetworkSpec Network(Shape input, std::vector<LayerSpec> layers) {
  NetworkSpec network;
  network.input_shape = std::move(input);
  network.layers = std::move(layers);
  return network;
}

std::string Misfit(NetworkSpec network) {
  const Status status = InferShapes(network);
  return status ? "fits" : status.error().message();
}

TEST(InferShapes, FollowsASampleThroughTheLayers) {
  NetworkSpec network =
      Network({1, 28, 28}, {Conv("c", 4, 5, 0), Layer(LayerType::kRelu, "r"), Pool(3),
                            Layer(LayerType::kFlatten, "f"), Dense("d", 10)});
  ASSERT_TRUE(InferShapes(network));
  EXPECT_EQ(network.layers[0].output, (Shape{4, 24, 24}));
  EXPECT_EQ(network.layers[1].output, (Shape{4, 24, 24}));
  EXPECT_EQ(network.layers[2].output, (Shape{4, 8, 8}));
  EXPECT_EQ(network.layers[3].output, (Shape{256}));
  EXPECT_EQ(network.layers[4].input, (Shape{256}));
  EXPECT_EQ(network.num_classes(), 10);
}

TEST(InferShapes, RoundsDownWhereAWindowDoesNotFitOnceMore) {
  NetworkSpec network =
      Network({2, 7, 9}, {Pool(2), Layer(LayerType::kFlatten, "f"), Dense("d", 2)});
  ASSERT_TRUE(InferShapes(network));
  EXPECT_EQ(network.layers[0].output, (Shape{2, 3, 4}));
}

TEST(InferShapes, AsksForFlattenBeforeDense) {
  EXPECT_EQ(Misfit(Network({1, 8, 8}, {Dense("d", 2)})),
            "layer d takes [features], but its input is [1, 8, 8]; put a flatten layer before it");
}

TEST(InferShapes, AsksForAnImageBeforeConvolution) {
  EXPECT_EQ(
      Misfit(Network({64}, {Conv("c", 1, 3, 0)})),
      "layer c takes [channels, height, width], but its input is [64]; put it before flatten");
}

TEST(InferShapes, RefusesAKernelLargerThanItsInput) {
  EXPECT_EQ(Misfit(Network({1, 4, 4}, {Conv("c", 1, 7, 1)})),
            "layer c has a kernel of 7x7, larger than its input [1, 4, 4]");
}

TEST(InferShapes, RefusesPaddingThatIsAllOfTheKernel) {
  EXPECT_EQ(Misfit(Network({1, 4, 4}, {Conv("c", 1, 3, 3)})),
            "layer c has padding 3, expected less than the kernel's 3");
}

TEST(InferShapes, AsksForClassesAtTheEnd) {
  EXPECT_EQ(
      Misfit(Network({4}, {Dense("d", 1)})),
      "layer d is the last and has the output [1], expected [classes] with two classes or more");
  EXPECT_EQ(Misfit(Network({4}, {})), "the network has no layers, expected at least one");
}

TEST(InferShapes, RefusesAnInputThatIsNeitherImageNorList) {
  EXPECT_EQ(
      Misfit(Network({4, 4, 4, 4}, {Dense("d", 2)})),
      "input_shape is [4, 4, 4, 4], expected [features], [time, features] or [channels, height, "
      "width], at most 268435456 values in all");
  EXPECT_NE(Misfit(Network({0}, {Dense("d", 2)})), "fits");
  EXPECT_NE(Misfit(Network({1 << 20, 1 << 20, 1 << 20}, {Dense("d", 2)})), "fits");
}

TEST(InferShapes, RefusesANetworkLargerThanMemory) {
  EXPECT_EQ(Misfit(Network({1 << 20}, {Dense("a", 1 << 20), Dense("b", 2)})),
            "layer a brings the network to 1099512676352 weights, expected at most 4294967296");
  EXPECT_EQ(
      Misfit(Network({1, 1024, 1024}, {Conv("c", 65536, 1, 0)})),
      "layer c has the output [65536, 1024, 1024], expected at most 268435456 values a sample");
}

TEST(ParameterLayout, ListsWeightsThenBiases) {
  NetworkSpec network =
      Network({3, 8, 8}, {Conv("c", 4, 3, 1), Layer(LayerType::kFlatten, "f"), Dense("d", 2)});
  network.layers[2].bias = false;
  ASSERT_TRUE(InferShapes(network));
  const Layout expected = {{"c.weight", DType::kFloat32, {4, 3, 3, 3}},
                           {"c.bias", DType::kFloat32, {4}},
                           {"d.weight", DType::kFloat32, {2, 256}}};
  EXPECT_EQ(ParameterLayout(network), expected);
}

}  // namespace
}  // namespace fx
