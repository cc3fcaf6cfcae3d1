// What comes out of every layer, by PyTorch's formulas, and which networks are refused.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "plan/network_spec.h"

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

// The output of one layer behind such a sample.
Shape OutputOf(Shape input, LayerSpec layer) {
  NetworkSpec network = Network(std::move(input), {std::move(layer)});
  network.loss.type = LossType::kMse;
  EXPECT_EQ(Misfit(network), "fits");
  EXPECT_TRUE(InferShapes(network));
  return network.output();
}

std::string RefusalOf(Shape input, LayerSpec layer) {
  NetworkSpec network = Network(std::move(input), {std::move(layer)});
  network.loss.type = LossType::kMse;
  return Misfit(std::move(network));
}

// Conv2d: floor((h + 2 padding - dilation (kernel - 1) - 1) / stride + 1).
TEST(InferShapes, DilatesAndGroupsConvolutions) {
  LayerSpec layer = Conv("c", 8, 3, 2);
  layer.dilation = {2, 1};
  layer.stride = {1, 2};
  layer.groups = 4;
  EXPECT_EQ(OutputOf({4, 10, 11}, layer), (Shape{8, 10, 7}));
  layer.groups = 3;
  EXPECT_EQ(RefusalOf({4, 10, 11}, layer),
            "layer c has 3 groups, which must divide its 4 channels and 8 filters");
  layer.groups = 4;
  layer.filters = 6;
  EXPECT_EQ(RefusalOf({4, 10, 11}, layer),
            "layer c has 4 groups, which must divide its 4 channels and 6 filters");
  layer.dilation = {8, 1};
  EXPECT_EQ(RefusalOf({4, 10, 11}, layer),
            "layer c has a kernel of 3x3, larger than its input [4, 10, 11]");
}

// ConvTranspose2d: (h - 1) stride - 2 padding + kernel + output_padding.
TEST(InferShapes, EnlargesWithTransposedConvolutions) {
  LayerSpec layer = Conv("t", 5, 3, 1);
  layer.type = LayerType::kConvTranspose2d;
  layer.stride = {2, 3};
  layer.output_padding = {1, 0};
  EXPECT_EQ(OutputOf({2, 7, 8}, layer), (Shape{5, 14, 22}));
  layer.output_padding = {2, 0};
  EXPECT_EQ(RefusalOf({2, 7, 8}, layer),
            "layer t has output_padding 2, expected less than the stride's 2");
  layer.output_padding = {0, 0};
  layer.padding = {3, 0};
  EXPECT_EQ(RefusalOf({2, 7, 8}, layer),
            "layer t has padding 3, which leaves nothing of its input [2, 7, 8]");
}

TEST(InferShapes, Pools) {
  LayerSpec layer = Pool(3);
  layer.type = LayerType::kAvgPool;
  layer.stride = {2, 2};
  layer.padding = {1, 1};
  EXPECT_EQ(OutputOf({6, 8, 9}, layer), (Shape{6, 4, 5}));
  EXPECT_EQ(OutputOf({6, 8, 9}, Layer(LayerType::kGlobalAvgPool, "g")), (Shape{6}));
  EXPECT_EQ(RefusalOf({6}, Layer(LayerType::kGlobalAvgPool, "g")),
            "layer g takes [channels, height, width], but its input is [6]; put it before flatten");
}

TEST(InferShapes, LeavesShapesAsTheyAreWhereOnlyValuesChange) {
  for (const LayerType type :
       {LayerType::kRelu, LayerType::kLeakyRelu, LayerType::kGelu, LayerType::kSilu,
        LayerType::kTanh, LayerType::kSigmoid, LayerType::kSoftmax, LayerType::kDropout}) {
    for (const Shape& shape : {Shape{4}, Shape{5, 4}, Shape{3, 5, 4}}) {
      EXPECT_EQ(OutputOf(shape, Layer(type, "l")), shape);
    }
  }
}

TEST(InferShapes, NormalisesWhatEachNormIsFor) {
  LayerSpec group = Layer(LayerType::kGroupNorm, "g");
  group.groups = 2;
  const LayerSpec batch = Layer(LayerType::kBatchNorm, "b"),
                  layer = Layer(LayerType::kLayerNorm, "l");
  EXPECT_EQ(OutputOf({4, 3, 3}, group), (Shape{4, 3, 3}));
  EXPECT_EQ(OutputOf({4, 3, 3}, batch), (Shape{4, 3, 3}));
  EXPECT_EQ(OutputOf({4}, batch), (Shape{4}));
  EXPECT_EQ(OutputOf({6, 4}, layer), (Shape{6, 4}));
  EXPECT_EQ(RefusalOf({6, 4}, batch),
            "layer b takes [features] or [channels, height, width], but its input is [6, 4]; "
            "layer_norm normalises sequences");
  EXPECT_EQ(RefusalOf({4, 3, 3}, layer),
            "layer l takes [features] or [time, features], but its input is [4, 3, 3]; group_norm "
            "normalises images");
  EXPECT_EQ(RefusalOf({5, 3, 3}, group), "layer g has 2 groups, which must divide its 5 channels");
}

TEST(InferShapes, ReshapesAndFlattens) {
  LayerSpec layer = Layer(LayerType::kReshape, "r");
  layer.shape = {2, 3, 4};
  EXPECT_EQ(OutputOf({24}, layer), (Shape{2, 3, 4}));
  EXPECT_EQ(OutputOf({6, 4}, layer), (Shape{2, 3, 4}));
  EXPECT_EQ(RefusalOf({25}, layer),
            "layer r makes [2, 3, 4] of its input [25], which has 25 values");
  EXPECT_EQ(OutputOf({6, 4}, Layer(LayerType::kFlatten, "f")), (Shape{24}));
}

TEST(InferShapes, UpsamplesByAScaleAnAxis) {
  LayerSpec layer = Layer(LayerType::kUpsample, "u");
  layer.scale = {2, 3};
  EXPECT_EQ(OutputOf({5, 4, 6}, layer), (Shape{5, 8, 18}));
  layer.scale = {1024, 1024};
  EXPECT_EQ(RefusalOf({5, 1024, 1025}, layer),
            "layer u has the output [5, 1048576, 1049600], expected at most 1048576 a side");
}

TEST(InferShapes, FollowsSequences) {
  LayerSpec embedding = Layer(LayerType::kEmbedding, "e"), lstm = Layer(LayerType::kLstm, "l");
  embedding.units = 8;
  embedding.entries = 96;
  lstm.units = 16;
  LayerSpec gru = Layer(LayerType::kGru, "g");
  gru.units = 4;
  gru.return_sequences = false;
  NetworkSpec network = Network({20}, {embedding, lstm, Dense("d", 12), gru});
  ASSERT_TRUE(InferShapes(network));
  EXPECT_EQ(network.layers[0].output, (Shape{20, 8}));
  EXPECT_EQ(network.layers[1].output, (Shape{20, 16}));
  EXPECT_EQ(network.layers[2].output, (Shape{20, 12}));
  EXPECT_EQ(network.layers[3].output, (Shape{4}));
  EXPECT_EQ(RefusalOf({20}, lstm),
            "layer l takes [time, features], but its input is [20]; put it behind an embedding");
  EXPECT_EQ(RefusalOf({20, 3}, embedding),
            "layer e takes [time], a list of whole numbers, but its input is [20, 3]");
  EXPECT_EQ(Misfit(Network({20}, {Layer(LayerType::kRelu, "r"), embedding})),
            "layer e takes whole numbers, which only the sample has, but reads another layer");
}

LayerSpec Join(LayerType type, std::vector<std::int64_t> inputs) {
  LayerSpec layer = Layer(type, "join");
  layer.inputs = std::move(inputs);
  return layer;
}

TEST(InferShapes, JoinsAlongTheFirstAxis) {
  NetworkSpec network = Network({3, 8, 8}, {Conv("a", 4, 3, 1), Conv("b", 5, 3, 1),
                                            Join(LayerType::kConcat, {0, 1, kNetworkInput})});
  network.loss.type = LossType::kMse;
  ASSERT_TRUE(InferShapes(network));
  EXPECT_EQ(network.output(), (Shape{12, 8, 8}));
  network.layers[1].padding = {0, 0};
  EXPECT_EQ(Misfit(network),
            "layer join joins [4, 8, 8] and [5, 6, 6], which may differ in their first extent "
            "only");
}

TEST(InferShapes, AddsWhatIsAlike) {
  NetworkSpec network = Network({3, 8, 8}, {Conv("a", 3, 3, 1), Conv("b", 3, 3, 1),
                                            Join(LayerType::kAdd, {1, kNetworkInput, 0})});
  network.loss.type = LossType::kMse;
  ASSERT_TRUE(InferShapes(network));
  EXPECT_EQ(network.output(), (Shape{3, 8, 8}));
  network.layers[1].filters = 4;
  EXPECT_EQ(Misfit(network), "layer join adds [4, 8, 8] and [3, 8, 8], which must be alike");
}

TEST(InferShapes, CountsInputs) {
  EXPECT_EQ(Misfit(Network({4}, {Layer(LayerType::kAdd, "a")})),
            "layer a has one input, expected two or more");
  LayerSpec dense = Dense("d", 2);
  dense.inputs = {kNetworkInput, 0};
  EXPECT_EQ(Misfit(Network({4}, {Dense("a", 2), dense})), "layer d has 2 inputs, expected one");
}

TEST(InferShapes, SaysWhereTheMisfitIs) {
  LayerSpec last = Dense("last", 2);
  last.inputs = {0};
  NetworkSpec network = Network({4}, {Dense("a", 3), Dense("unused", 3), last});
  std::size_t culprit = 0;
  EXPECT_FALSE(InferShapes(network, &culprit));
  EXPECT_EQ(culprit, 1U);
  network = Network({4}, {Dense("a", 3), Dense("b", 3), Conv("c", 1, 1, 0), Dense("d", 2)});
  EXPECT_FALSE(InferShapes(network, &culprit));
  EXPECT_EQ(culprit, 2U);
}

TEST(InferShapes, WantsAWeightForEachClass) {
  NetworkSpec network = Network({4}, {Dense("d", 3)});
  network.loss.class_weights = {1, 2};
  EXPECT_EQ(Misfit(network),
            "layer d has the output [3], which is 3 classes, but there are 2 class weights");
  network.loss.class_weights = {1, 2, 3};
  EXPECT_EQ(Misfit(network), "fits");
}

TEST(TargetShape, IsAClassOfEachPlaceOrTheOutputItself) {
  NetworkSpec network = Network({3, 8, 9}, {Conv("c", 4, 3, 1)});
  ASSERT_TRUE(InferShapes(network));
  EXPECT_EQ(TargetShape(network), (Shape{8, 9}));
  network.loss.type = LossType::kDice;
  EXPECT_EQ(TargetShape(network), (Shape{4, 8, 9}));
  network = Network({5, 3}, {Dense("d", 4)});
  ASSERT_TRUE(InferShapes(network));
  EXPECT_EQ(TargetShape(network), (Shape{5}));
  network = Network({3}, {Dense("d", 4)});
  ASSERT_TRUE(InferShapes(network));
  EXPECT_EQ(TargetShape(network), (Shape{}));
}

}  // namespace
}  // namespace fx
