// Each activation against its formula.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>

#include "tests/numeric/one_layer.h"

namespace fx::test {
namespace {

struct Case {
  std::string name;
  LayerType type;
  std::function<double(double)> function;
  double slope = 0.01;
};

double Sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

std::function<double(double)> Leaky(double slope) {
  return [slope](double x) { return x > 0 ? x : slope * x; };
}

class Activations : public ::testing::TestWithParam<Case> {
 protected:
  void Check(const Shape& input) const {
    CheckLayer({.spec = {.type = GetParam().type, .slope = GetParam().slope}, .inputs = {input}},
               [](const LayerInput& at) {
                 Values y = at.inputs[0];
                 std::ranges::transform(y, y.begin(), GetParam().function);
                 return y;
               });
  }
};

TEST_P(Activations, FollowTheirFormulaOfImages) {
  Check({3, 4, 5});
}
TEST_P(Activations, FollowTheirFormulaOfFeatures) {
  Check({19});
}
TEST_P(Activations, FollowTheirFormulaOfSequences) {
  Check({4, 5});
}

INSTANTIATE_TEST_SUITE_P(
    All, Activations,
    ::testing::Values(Case{"LeakyRelu", LayerType::kLeakyRelu, Leaky(0.1), 0.1},
                      Case{"FallingLeakyRelu", LayerType::kLeakyRelu, Leaky(-0.2), -0.2},
                      Case{"Gelu", LayerType::kGelu,
                           [](double x) { return x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }},
                      Case{"Silu", LayerType::kSilu, [](double x) { return x * Sigmoid(x); }},
                      Case{"Tanh", LayerType::kTanh, [](double x) { return std::tanh(x); }},
                      Case{"Sigmoid", LayerType::kSigmoid, Sigmoid}),
    [](const auto& tested) { return tested.param.name; });

// Over the axis of `extent` values, `stride` apart.
Definition SoftmaxOver(std::size_t extent, std::size_t stride) {
  return [=](const LayerInput& at) {
    Values y = at.inputs[0];
    std::ranges::transform(y, y.begin(), [](double x) { return std::exp(x); });
    for (std::size_t i = 0; i < y.size(); ++i) {
      if (i / stride % extent != 0) continue;
      double sum = 0;
      for (std::size_t k = 0; k < extent; ++k) sum += y[i + k * stride];
      for (std::size_t k = 0; k < extent; ++k) y[i + k * stride] /= sum;
    }
    return y;
  };
}

TEST(Softmax, IsOverTheChannelsOfAnImage) {
  CheckLayer({.spec = {.type = LayerType::kSoftmax}, .inputs = {{3, 4, 5}}}, SoftmaxOver(3, 20));
}
TEST(Softmax, IsOverTheChannelsOfAnImageThatLiesChannelsLast) {
  CheckLayer({.spec = {.type = LayerType::kSoftmax}, .inputs = {{3, 4, 5}}, .channels_last = true},
             SoftmaxOver(3, 20));
}
TEST(Softmax, IsOverFeatures) {
  CheckLayer({.spec = {.type = LayerType::kSoftmax}, .inputs = {{7}}}, SoftmaxOver(7, 1));
}
TEST(Softmax, IsOverTheFeaturesOfEachStep) {
  CheckLayer({.spec = {.type = LayerType::kSoftmax}, .inputs = {{4, 5}}}, SoftmaxOver(5, 1));
}

}  // namespace
}  // namespace fx::test
