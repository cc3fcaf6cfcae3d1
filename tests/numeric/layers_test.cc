// Every layer, forward and backward, against plain loops, and those against finite differences.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/numeric/reference.h"
#include "tests/numeric/trainer.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

constexpr std::int64_t kClasses = 4;

struct Case {
  std::string name;
  Shape input;
  std::vector<LayerSpec> layers;
};

// Ends a stack of layers with a flatten and a dense layer, so that it has a loss.
NetworkSpec WithHead(const Case& c) {
  std::vector<LayerSpec> layers = c.layers;
  layers.push_back(Flatten("flatten"));
  layers.push_back(Dense("head", kClasses));
  return MakeNetwork(c.input, std::move(layers));
}

LayerSpec Oblong() {
  LayerSpec conv = Conv2d("conv", 6, 1);
  conv.kernel[0] = 1;
  conv.kernel[1] = 4;
  conv.stride[1] = 2;
  conv.padding[1] = 1;
  return conv;
}

std::vector<Case> Cases() {
  return {
      {"Dense", {7}, {Dense("dense", 5)}},
      {"DenseWithoutBias", {3, 2, 2}, {Flatten("f"), WithoutBias(Dense("dense", 5))}},
      {"DenseRelu", {9}, {Dense("dense", 20), Relu("relu")}},
      {"FirstConv", {1, 8, 9}, {Conv2d("conv", 5, 3)}},
      {"PaddedConv", {3, 6, 6}, {Conv2d("conv", 4, 5, 2)}},
      {"StridedConv", {2, 9, 8}, {Conv2d("conv", 16, 3, 1, 2)}},
      {"OblongConv", {2, 5, 9}, {Oblong()}},
      {"ConvWithoutBias", {2, 5, 5}, {WithoutBias(Conv2d("conv", 3, 2))}},
      {"ConvRelu", {1, 6, 6}, {Conv2d("conv", 8, 3), Relu("relu")}},
      {"TwoConvs", {3, 7, 7}, {Conv2d("conv1", 20, 3, 1), Relu("relu1"), Conv2d("conv2", 6, 3)}},
      {"ConvPool", {1, 8, 8}, {Conv2d("conv", 5, 3, 1), MaxPool("pool", 2)}},
      {"OverlappingPool", {2, 8, 7}, {Conv2d("conv", 3, 1), MaxPool("pool", 3, 2, 1)}},
      {"ConvReluPool", {1, 9, 9}, {Conv2d("conv", 9, 2), Relu("relu"), MaxPool("pool", 2)}},
      {"ConvReluPaddedPool",
       {1, 8, 8},
       {Conv2d("conv", 4, 3, 1), Relu("relu"), MaxPool("pool", 3, 2, 1)}},
      {"ConvPoolRelu", {2, 8, 8}, {Conv2d("conv", 4, 3), MaxPool("pool", 2), Relu("relu")}},
      {"PoolFirst", {3, 8, 8}, {MaxPool("pool", 2), Conv2d("conv", 4, 3), Relu("relu")}},
      {"ReluFirst", {3, 6, 6}, {Relu("relu"), Conv2d("conv", 4, 3)}},
      {"ReluTwice", {2, 6, 6}, {Conv2d("conv", 4, 3), Relu("relu1"), Relu("relu2")}},
      {"ReluAfterFlatten", {2, 6, 6}, {Conv2d("conv", 4, 3), Flatten("f"), Relu("relu")}},
      {"PoolTwice",
       {1, 9, 9},
       {Conv2d("conv", 4, 2), Relu("relu"), MaxPool("pool1", 2), MaxPool("pool2", 2)}},
      {"SmallNetwork",
       {1, 12, 12},
       {Conv2d("conv1", 4, 3, 1), Relu("relu1"), MaxPool("pool1", 2), Conv2d("conv2", 8, 3),
        Relu("relu2"), MaxPool("pool2", 2), Flatten("f"), Dense("dense", 12), Relu("relu3")}},
  };
}

class Layers : public ::testing::TestWithParam<Case> {
 protected:
  std::vector<Values> ReferenceGradient(const Reference& reference) const {
    std::vector<Values> gradients = reference.ZeroGradients();
    const auto size = static_cast<std::size_t>(data_.train().size());
    for (std::size_t i = 0; i < size; ++i) {
      reference.AddGradient(data_.train().sample(i), data_.train().label(i),
                            1 / static_cast<double>(size), gradients, i);
    }
    return gradients;
  }

  const NetworkSpec network_ = WithHead(GetParam());
  const MemoryLoader data_{RandomSet(GetParam().input, 13, kClasses, 5)};
};

TEST_P(Layers, ReferenceGradientsAgreeWithFiniteDifferences) {
  Reference reference(network_, InitialModel(network_));
  std::vector<Values> gradients = reference.ZeroGradients();
  const auto input = data_.train().sample(0);
  const std::int32_t label = data_.train().label(0);
  reference.AddGradient(input, label, 1, gradients);
  constexpr double kStep = 1e-6;
  for (std::size_t p = 0; p < gradients.size(); ++p) {
    Values& values = reference.parameters()[p];
    for (std::size_t i = 0; i < values.size(); i += 1 + values.size() / 40) {
      const double before = values[i];
      values[i] = before + kStep;
      const double above = reference.Loss(input, label);
      values[i] = before - kStep;
      const double below = reference.Loss(input, label);
      values[i] = before;
      EXPECT_NEAR(gradients[p][i], (above - below) / (2 * kStep), 1e-7) << p << " " << i;
    }
  }
}

TEST_P(Layers, NativeGradientsAgreeWithPlainLoops) {
  const Reference reference(network_, InitialModel(network_));
  const std::vector<Values> expected = ReferenceGradient(reference);
  const Model actual = NativeGradient(network_, data_);
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t p = 0; p < expected.size(); ++p) {
    EXPECT_LT(RelativeError(actual[p].tensor.floats(), expected[p]), 2e-6) << actual[p].name;
  }
}

TEST_P(Layers, NativeLossesAgreeWithPlainLoopsSampleBySample) {
  const Reference reference(network_, InitialModel(network_));
  for (std::size_t i = 0; i < 3; ++i) {
    const MemoryLoader one(data_.train().Part(i, i + 1));
    const TaskReport report = RunnerFor(network_, one, 1)->Validate(ValidateTask(), {}).value();
    EXPECT_NEAR(report.metrics[1].value,
                reference.Loss(data_.train().sample(i), data_.train().label(i)), 2e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Layers, ::testing::ValuesIn(Cases()),
                         [](const auto& tested) { return tested.param.name; });

// After a dense layer of two extents nothing is padded, so the draws can be told from outside.
TEST(Dropout, ScalesWhatItKeepsAndGoesBackTheSameWay) {
  const NetworkSpec network = MakeNetwork(
      {6}, {Dense("dense", 24), Relu("relu"), Dropout("drop", 0.4), Dense("head", kClasses)});
  const MemoryLoader data(RandomSet({6}, 1, kClasses, 5));
  RandomStream draws(network.seed, "dropout/drop", 0, 0, HashName("one"));
  Values mask;
  for (int i = 0; i < 24; ++i) mask.push_back(draws.NextFloat() < 0.4F ? 0 : 1 / 0.6);
  ASSERT_THAT(mask, ::testing::Contains(0.0));

  Reference reference(network, InitialModel(network));
  reference.set_dropout([&](const LayerSpec&, std::size_t) { return mask; });
  std::vector<Values> expected = reference.ZeroGradients();
  reference.AddGradient(data.train().sample(0), data.train().label(0), 1, expected);
  const Model actual = NativeGradient(network, data);
  for (std::size_t p = 0; p < expected.size(); ++p) {
    EXPECT_LT(RelativeError(actual[p].tensor.floats(), expected[p]), 2e-6) << actual[p].name;
  }
}

TEST(Dropout, DropsTheShareThePlanAsksFor) {
  // With weights of one and inputs of one, the loss of a batch is a function of how many units
  // stay; the gradient of the head's weights is not zero exactly where a unit stayed in some
  // sample.
  const NetworkSpec network =
      MakeNetwork({1}, {Dense("dense", 4000), Dropout("drop", 0.25), Dense("head", kClasses)});
  const MemoryLoader data(MemorySet({1}, {1.0F}, {0}));
  const Model gradient = NativeGradient(network, data);
  const auto head = gradient[2].tensor.floats().first(4000);
  const auto dropped = std::ranges::count(head, 0.0F);
  EXPECT_NEAR(static_cast<double>(dropped) / 4000, 0.25, 0.03);
}

TEST(Dropout, DoesNothingWhenValidating) {
  const NetworkSpec with =
      MakeNetwork({6}, {Dense("dense", 24), Dropout("drop", 0.4), Dense("head", kClasses)});
  const NetworkSpec without = MakeNetwork({6}, {Dense("dense", 24), Dense("head", kClasses)});
  const MemoryLoader data(RandomSet({6}, 40, kClasses, 5));
  EXPECT_EQ(RunnerFor(with, data, 8)->Validate(ValidateTask(), {}).value().metrics,
            RunnerFor(without, data, 8)->Validate(ValidateTask(), {}).value().metrics);
}

}  // namespace
}  // namespace fx::test
