// Pools against their definitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "tests/numeric/one_layer.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

struct PoolCase {
  std::string name;
  Shape input;
  LayerSpec spec;
  Shape output;  // as torch.nn.AvgPool2d, MaxPool2d give it
};

constexpr std::int64_t kBatch = 2;

// Calls body(output element, input element or -1 for padding) for all pixels of all windows.
template <typename Body>
void ForEachPixel(const PoolCase& tested, Body body) {
  const auto& [kernel, stride, padding] =
      std::tie(tested.spec.kernel, tested.spec.stride, tested.spec.padding);
  const std::int64_t height = tested.input[1], width = tested.input[2];
  for (std::int64_t i = 0; i < kBatch * NumElements(tested.output); ++i) {
    const std::int64_t column = i % tested.output[2], row = i / tested.output[2] % tested.output[1];
    const std::int64_t plane = i / (tested.output[1] * tested.output[2]);
    for (std::int64_t k = 0; k < kernel[0] * kernel[1]; ++k) {
      const std::int64_t y = row * stride[0] - padding[0] + k / kernel[1];
      const std::int64_t x = column * stride[1] - padding[1] + k % kernel[1];
      const bool inside = y >= 0 && y < height && x >= 0 && x < width;
      body(static_cast<std::size_t>(i), inside ? (plane * height + y) * width + x : -1);
    }
  }
}

Values AvgPoolOf(const PoolCase& tested, const Values& x) {
  Values y(static_cast<std::size_t>(kBatch * NumElements(tested.output)));
  const auto size = static_cast<double>(tested.spec.kernel[0] * tested.spec.kernel[1]);
  ForEachPixel(tested, [&](std::size_t out, std::int64_t in) {
    if (in >= 0) y[out] += x[static_cast<std::size_t>(in)] / size;
  });
  return y;
}

Values MaxPoolOf(const PoolCase& tested, const Values& x) {
  Values y(static_cast<std::size_t>(kBatch * NumElements(tested.output)),
           -std::numeric_limits<double>::infinity());
  ForEachPixel(tested, [&](std::size_t out, std::int64_t in) {
    if (in >= 0) y[out] = std::max(y[out], x[static_cast<std::size_t>(in)]);
  });
  return y;
}

LayerSpec Oblong(LayerSpec pool) {
  pool.kernel = {2, 3};
  pool.stride = {1, 2};
  pool.padding = {0, 1};
  return pool;
}

std::vector<PoolCase> Cases() {
  return {{"Halving", {5, 6, 4}, MaxPool("p", 2), {5, 3, 2}},
          {"HalvingAnOddSize", {3, 5, 7}, MaxPool("p", 2), {3, 2, 3}},
          {"Overlapping", {2, 7, 8}, MaxPool("p", 3, 2, 1), {2, 4, 4}},
          {"Oblong", {18, 4, 5}, Oblong(MaxPool("p", 1)), {18, 3, 3}}};
}

class Pool : public ::testing::TestWithParam<PoolCase> {};

TEST_P(Pool, OfTheLargestIsItsDefinition) {
  const PoolCase& tested = GetParam();
  CheckLayer({.spec = tested.spec, .inputs = {tested.input}, .batch = kBatch, .value = {}},
             [&](const LayerInput& at) { return MaxPoolOf(tested, at.inputs[0]); });
}

TEST_P(Pool, OfTheMeanIsItsDefinition) {
  PoolCase tested = GetParam();
  tested.spec.type = LayerType::kAvgPool;
  CheckLayer({.spec = tested.spec, .inputs = {tested.input}, .batch = kBatch, .value = {}},
             [&](const LayerInput& at) { return AvgPoolOf(tested, at.inputs[0]); });
}

INSTANTIATE_TEST_SUITE_P(All, Pool, ::testing::ValuesIn(Cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(GlobalAvgPool, IsTheMeanOfEachChannel) {
  const Shape input = {5, 3, 4};
  CheckLayer({.spec = {.type = LayerType::kGlobalAvgPool}, .inputs = {input}, .value = {}},
             [&](const LayerInput& at) {
               Values y(3 * 5);
               for (std::size_t i = 0; i < y.size() * 12; ++i) y[i / 12] += at.inputs[0][i] / 12;
               return y;
             });
}

}  // namespace
}  // namespace fx::test
