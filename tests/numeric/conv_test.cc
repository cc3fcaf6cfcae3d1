// Convolutions and transposed convolutions against their definitions.
#include <gtest/gtest.h>

#include "tests/numeric/one_layer.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

// Row-major [a, b, c, d].
struct Grid {
  std::int64_t a, b, c, d;

  std::int64_t size() const { return a * b * c * d; }
  std::size_t at(std::int64_t i, std::int64_t j, std::int64_t k, std::int64_t l) const {
    return static_cast<std::size_t>(((i * b + j) * c + k) * d + l);
  }
  bool holds(std::int64_t k, std::int64_t l) const { return k >= 0 && k < c && l >= 0 && l < d; }
};

struct ConvCase {
  std::string name;
  Shape input;
  LayerSpec spec;
  Shape output;  // as torch.nn.Conv2d, ConvTranspose2d give it
  std::int64_t batch = 2;
};

double BiasOf(const LayerInput& at, std::int64_t filter) {
  return at.parameters.contains("bias") ? at.parameters.at("bias")[static_cast<std::size_t>(filter)]
                                        : 0;
}

// Calls body(n, filter, channel of its group, output row and column, kernel row and column).
template <typename Body>
void ForEachProduct(const Grid& weight, const Grid& output, Body body) {
  for (std::int64_t n = 0; n < output.a; ++n) {
    for (std::int64_t o = 0; o < weight.a; ++o) {
      for (std::int64_t i = 0; i < weight.b; ++i) {
        for (std::int64_t p = 0; p < output.c * output.d; ++p) {
          for (std::int64_t k = 0; k < weight.c * weight.d; ++k) {
            body(n, o, i, p / output.d, p % output.d, k / weight.d, k % weight.d);
          }
        }
      }
    }
  }
}

Values StartFromBias(const Grid& output, const LayerInput& at) {
  Values y(static_cast<std::size_t>(output.size()));
  for (std::int64_t i = 0; i < output.size(); ++i) {
    y[static_cast<std::size_t>(i)] = BiasOf(at, i / (output.c * output.d) % output.b);
  }
  return y;
}

// y[n, o, r, c] = bias[o] + sum over i, u, v of w[o, i, u, v]
//                 x[n, group of o, i, r stride + u dilation - padding, likewise].
Values ConvOf(const ConvCase& tested, const LayerInput& at) {
  const LayerSpec& s = tested.spec;
  const Grid x{tested.batch, tested.input[0], tested.input[1], tested.input[2]};
  const Grid w{s.filters, x.b / s.groups, s.kernel[0], s.kernel[1]};
  const Grid y{tested.batch, tested.output[0], tested.output[1], tested.output[2]};
  Values out = StartFromBias(y, at);
  ForEachProduct(w, y, [&](auto n, auto o, auto i, auto r, auto c, auto u, auto v) {
    const std::int64_t row = r * s.stride[0] + u * s.dilation[0] - s.padding[0];
    const std::int64_t column = c * s.stride[1] + v * s.dilation[1] - s.padding[1];
    if (!x.holds(row, column)) return;
    const std::int64_t channel = o / (s.filters / s.groups) * w.b + i;
    out[y.at(n, o, r, c)] +=
        at.parameters.at("weight")[w.at(o, i, u, v)] * at.inputs[0][x.at(n, channel, row, column)];
  });
  return out;
}

// Every input pixel x[n, i, r, c] adds w[i, o, u, v] x to
// y[n, o, r stride + u - padding, c stride + v - padding].
Values ConvTransposeOf(const ConvCase& tested, const LayerInput& at) {
  const LayerSpec& s = tested.spec;
  const Grid x{tested.batch, tested.input[0], tested.input[1], tested.input[2]};
  const Grid w{x.b, s.filters, s.kernel[0], s.kernel[1]};
  const Grid y{tested.batch, tested.output[0], tested.output[1], tested.output[2]};
  Values out = StartFromBias(y, at);
  ForEachProduct(w, x, [&](auto n, auto i, auto o, auto r, auto c, auto u, auto v) {
    const std::int64_t row = r * s.stride[0] + u - s.padding[0];
    const std::int64_t column = c * s.stride[1] + v - s.padding[1];
    if (!y.holds(row, column)) return;
    out[y.at(n, o, row, column)] +=
        at.parameters.at("weight")[w.at(i, o, u, v)] * at.inputs[0][x.at(n, i, r, c)];
  });
  return out;
}

LayerSpec Transposed(LayerSpec layer, std::int64_t output_padding = 0) {
  layer.type = LayerType::kConvTranspose2d;
  layer.output_padding = {output_padding, output_padding};
  return layer;
}

LayerSpec Grouped(LayerSpec layer, std::int64_t groups) {
  layer.groups = groups;
  return layer;
}

LayerSpec Dilated(LayerSpec layer, std::int64_t rows, std::int64_t columns) {
  layer.dilation = {rows, columns};
  return layer;
}

class Convolution : public ::testing::TestWithParam<ConvCase> {};

TEST_P(Convolution, IsItsDefinition) {
  const ConvCase& tested = GetParam();
  CheckLayer({.spec = tested.spec, .inputs = {tested.input}, .batch = tested.batch, .value = {}},
             [&](const LayerInput& at) { return ConvOf(tested, at); });
}

INSTANTIATE_TEST_SUITE_P(
    All, Convolution,
    ::testing::Values(
        ConvCase{"Dilated", {2, 6, 5}, Dilated(Conv2d("c", 3, 3, 1), 2, 1), {3, 4, 5}},
        ConvCase{"DilatedStrided", {2, 5, 7}, Dilated(Conv2d("c", 3, 2, 2, 2), 3, 2), {3, 3, 5}},
        ConvCase{"TwoGroups", {6, 3, 4}, Grouped(Conv2d("c", 4, 2, 1), 2), {4, 4, 5}},
        ConvCase{"GroupsOf16", {32, 2, 2}, Grouped(Conv2d("c", 32, 1), 2), {32, 2, 2}, 1},
        ConvCase{"Depthwise", {5, 4, 3}, Grouped(Conv2d("c", 5, 3, 1), 5), {5, 4, 3}},
        ConvCase{"DepthwiseOf16", {16, 4, 3}, Grouped(Conv2d("c", 16, 3, 1, 2), 16), {16, 2, 2}},
        ConvCase{"DepthwiseTwoEach", {3, 4, 4}, Grouped(Conv2d("c", 6, 3), 3), {6, 2, 2}},
        ConvCase{"DepthwiseDilated",
                 {4, 5, 4},
                 Dilated(WithoutBias(Grouped(Conv2d("c", 4, 3, 2), 4)), 2, 2),
                 {4, 5, 4}}),
    [](const auto& tested) { return tested.param.name; });

class TransposedConvolution : public ::testing::TestWithParam<ConvCase> {};

TEST_P(TransposedConvolution, IsItsDefinition) {
  const ConvCase& tested = GetParam();
  CheckLayer({.spec = tested.spec, .inputs = {tested.input}, .batch = tested.batch, .value = {}},
             [&](const LayerInput& at) { return ConvTransposeOf(tested, at); });
}

INSTANTIATE_TEST_SUITE_P(
    All, TransposedConvolution,
    ::testing::Values(
        ConvCase{"Doubling", {3, 3, 4}, Transposed(Conv2d("c", 2, 2, 0, 2)), {2, 6, 8}},
        ConvCase{"DoublingOf16", {16, 2, 2}, Transposed(Conv2d("c", 8, 2, 0, 2)), {8, 4, 4}},
        ConvCase{"Padded", {2, 4, 3}, Transposed(Conv2d("c", 5, 3, 1)), {5, 4, 3}},
        ConvCase{"OutputPadded", {3, 3, 4}, Transposed(Conv2d("c", 2, 3, 1, 2), 1), {2, 6, 8}},
        ConvCase{"WithoutPaddingButOutputPadded",
                 {3, 3, 2},
                 Transposed(WithoutBias(Conv2d("c", 2, 3, 0, 3)), 2),
                 {2, 11, 8}}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace fx::test
