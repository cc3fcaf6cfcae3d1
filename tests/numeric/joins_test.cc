// Layers that join several inputs or lay values out anew, one at a time and in whole networks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "tasks/onednn/runner.h"
#include "tests/numeric/one_layer.h"
#include "tests/numeric/trainer.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

Values SumOf(const LayerInput& at) {
  Values y = at.inputs[0];
  for (std::size_t k = 1; k < at.inputs.size(); ++k) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] += at.inputs[k][i];
  }
  return y;
}

// Samples of each input behind each other; a first extent comes before all others in row-major
// order.
Values Joined(const LayerInput& at, std::size_t batch) {
  Values y;
  for (std::size_t n = 0; n < batch; ++n) {
    for (const Values& x : at.inputs) {
      const std::size_t sample = x.size() / batch;
      y.insert(y.end(), x.begin() + static_cast<std::ptrdiff_t>(n * sample),
               x.begin() + static_cast<std::ptrdiff_t>((n + 1) * sample));
    }
  }
  return y;
}

void CheckConcat(std::vector<Shape> inputs, bool channels_last = false) {
  CheckLayer({.spec = {.type = LayerType::kConcat},
              .inputs = std::move(inputs),
              .channels_last = channels_last},
             [](const LayerInput& at) { return Joined(at, 3); });
}

void CheckReshape(const LayerSpec& spec, Shape input, bool channels_last = false) {
  CheckLayer({.spec = spec, .inputs = {std::move(input)}, .channels_last = channels_last},
             [](const LayerInput& at) { return at.inputs[0]; });
}

TEST(Add, SumsTwoImages) {
  CheckLayer({.spec = {.type = LayerType::kAdd}, .inputs = {{3, 4, 5}, {3, 4, 5}}}, SumOf);
}
TEST(Add, SumsThreeImagesThatLieChannelsLast) {
  CheckLayer({.spec = {.type = LayerType::kAdd},
              .inputs = {{3, 4, 5}, {3, 4, 5}, {3, 4, 5}},
              .channels_last = true},
             SumOf);
}
TEST(Add, SumsSequences) {
  CheckLayer({.spec = {.type = LayerType::kAdd}, .inputs = {{4, 5}, {4, 5}}}, SumOf);
}

TEST(Concat, JoinsChannels) {
  CheckConcat({{3, 4, 5}, {2, 4, 5}});
}
TEST(Concat, JoinsChannelsThatLieLast) {
  CheckConcat({{3, 4, 5}, {2, 4, 5}, {16, 4, 5}}, true);
}
TEST(Concat, JoinsFeatures) {
  CheckConcat({{3}, {5}});
}
TEST(Concat, JoinsSteps) {
  CheckConcat({{3, 4}, {2, 4}});
}

TEST(Reshape, KeepsRowMajorOrder) {
  CheckReshape({.type = LayerType::kReshape, .shape = {6, 2, 5}}, {3, 4, 5});
}
TEST(Reshape, BringsChannelsLastIntoRowMajorOrder) {
  CheckReshape({.type = LayerType::kReshape, .shape = {15, 4}}, {3, 4, 5}, true);
}
TEST(Reshape, MakesImagesOfFeatures) {
  CheckReshape({.type = LayerType::kReshape, .shape = {2, 3, 4}}, {24});
}
TEST(Reshape, LeavesTheSameExtentsAlone) {
  CheckReshape({.type = LayerType::kReshape, .shape = {3, 4, 5}}, {3, 4, 5}, true);
}
TEST(Flatten, IsRowMajorForWhoeverMayReadIt) {
  CheckReshape({.type = LayerType::kFlatten}, {3, 4, 5}, true);
}

LayerSpec Reading(LayerSpec layer, std::vector<std::int64_t> inputs) {
  layer.inputs = std::move(inputs);
  return layer;
}

LayerSpec Joining(LayerType type, std::vector<std::int64_t> inputs) {
  return {.type = type, .name = "join", .inputs = std::move(inputs)};
}

LayerSpec Norm(std::string name, LayerType type = LayerType::kBatchNorm) {
  return {.type = type, .name = std::move(name)};
}

struct Case {
  std::string name;
  Shape input;
  std::vector<LayerSpec> layers;
};

constexpr std::int64_t kClasses = 3;

class Graphs : public ::testing::TestWithParam<Case> {
 protected:
  // Of the mean loss of the first batch, all samples, as training sees it.
  double LossAt(const Model& model) const {
    NetworkSpec network = network_;
    network.optimizer.learning_rate = 0;
    const auto runner = RunnerFor(network, data_, data_.train().size());
    FX_CHECK(runner->SetParameters(model).has_value());
    return runner->Train(TrainTask(), InRound(0)).value().metrics.at(0).value;
  }

  const NetworkSpec network_ = MakeNetwork(GetParam().input, GetParam().layers);
  const MemoryLoader data_{RandomSet(GetParam().input, 9, kClasses, 5)};
};

// oneDNN falls back to loops a hundred times slower, without a word, when layouts do not suit it.
TEST_P(Graphs, RunOnNoReferenceCode) {
  for (const bool training : {false, true}) {
    const auto picked = onednn::DescribeImplementations(network_, 9, training).value();
    EXPECT_THAT(picked, ::testing::Each(::testing::Not(::testing::HasSubstr("ref")))) << training;
  }
}

// Along the gradient the loss climbs by its square.
TEST_P(Graphs, TheGradientIsTheSlopeOfTheLoss) {
  const Model gradient = NativeGradient(network_, data_);
  double square = 0;
  for (const auto& [name, tensor] : gradient) {
    for (const float g : tensor.floats()) square += static_cast<double>(g) * g;
  }
  ASSERT_GT(square, 1e-6);
  const double step = 2e-3 / std::sqrt(square);
  const auto moved = [&](double by) {
    Model model = InitialModel(network_);
    for (auto& [name, tensor] : model) {
      const auto of = std::ranges::find_if(
          gradient, [&](const NamedTensor& state) { return state.name.starts_with(name + "."); });
      if (of == gradient.end()) continue;
      const auto floats = tensor.floats();
      for (std::size_t i = 0; i < floats.size(); ++i) {
        floats[i] += static_cast<float>(by * of->tensor.floats()[i]);
      }
    }
    return LossAt(model);
  };
  EXPECT_NEAR((moved(step) - moved(-step)) / (2 * step * square), 1, 0.01);
}

INSTANTIATE_TEST_SUITE_P(
    All, Graphs,
    ::testing::Values(
        Case{"Residual",
             {2, 6, 6},
             {Conv2d("stem", 8, 3, 1), Relu("relu1"), Conv2d("conv1", 8, 3, 1), Relu("relu2"),
              Conv2d("conv2", 8, 3, 1), Joining(LayerType::kAdd, {4, 1}), Relu("relu3"),
              Flatten("flatten"), Dense("head", kClasses)}},
        Case{"ResidualFirst",
             {2, 6, 6},
             {Conv2d("stem", 8, 3, 1), Relu("relu1"), Conv2d("conv1", 8, 3, 1), Relu("relu2"),
              Joining(LayerType::kAdd, {3, 1}), Relu("relu3"), Flatten("flatten"),
              Dense("head", kClasses)}},
        Case{"Branches",
             {2, 6, 6},
             {Reading(Conv2d("left", 4, 3, 1), {kNetworkInput}),
              Reading(Conv2d("right", 5, 1), {kNetworkInput}), Joining(LayerType::kConcat, {0, 1}),
              Relu("relu"), Flatten("flatten"), Dense("head", kClasses)}},
        Case{"FlattenedBranches",
             {2, 6, 6},
             {Conv2d("conv", 4, 3, 1), Flatten("flat"), Reading(Conv2d("last", 2, 3), {0}),
              Flatten("flat2"), Joining(LayerType::kConcat, {1, 3}), Dense("head", kClasses)}},
        Case{"NormedResidual",
             {2, 6, 6},
             {Conv2d("stem", 8, 3, 1), Norm("norm1"), Relu("relu1"), Conv2d("conv", 8, 3, 1),
              Norm("norm2"), Joining(LayerType::kAdd, {4, 2}), Relu("relu2"), Flatten("flatten"),
              Dense("head", kClasses)}},
        Case{"NormedPool",
             {2, 6, 6},
             {Conv2d("conv", 8, 3, 1), Norm("norm1"), Relu("relu"), MaxPool("pool", 2),
              Flatten("flatten"), Dense("dense", 5), Norm("norm2"), Relu("relu2"),
              Dense("head", kClasses)}},
        Case{"DownAndUp",
             {2, 8, 8},
             {Conv2d("conv1", 8, 3, 1), Norm("norm", LayerType::kGroupNorm),
              LayerSpec{.type = LayerType::kSilu, .name = "silu"}, MaxPool("pool", 2),
              Conv2d("conv2", 8, 3, 1), LayerSpec{.type = LayerType::kTanh, .name = "tanh"},
              LayerSpec{.type = LayerType::kUpsample, .name = "up"},
              Joining(LayerType::kConcat, {6, 2}), Conv2d("conv3", 4, 1), Flatten("flatten"),
              Norm("norm2", LayerType::kLayerNorm), Dense("head", kClasses)}},
        Case{"Gated",
             {2, 6, 6},
             {Conv2d("conv", 4, 3, 1), LayerSpec{.type = LayerType::kSoftmax, .name = "softmax"},
              Conv2d("conv2", 4, 3, 1), Joining(LayerType::kAdd, {2, 1}), Flatten("flatten"),
              Dense("head", kClasses)}},
        Case{"FlattenLast", {2, 5, 5}, {Conv2d("conv", kClasses, 5), Flatten("flat")}},
        Case{"TwiceTheSame",
             {2, 6, 6},
             {Conv2d("conv", 4, 3, 1), Relu("relu"), Joining(LayerType::kConcat, {1, 1}),
              Flatten("flatten"), Dense("head", kClasses)}}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace fx::test
