#include "plan/network_spec.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "core/tensor/state_names.h"

namespace fx {
namespace {

// In the order of LayerType.
constexpr std::array<std::string_view, 25> kWords = {"conv2d",
                                                     "max_pool",
                                                     "dense",
                                                     "relu",
                                                     "dropout",
                                                     "flatten",
                                                     "conv_transpose2d",
                                                     "avg_pool",
                                                     "global_avg_pool",
                                                     "batch_norm",
                                                     "layer_norm",
                                                     "group_norm",
                                                     "leaky_relu",
                                                     "gelu",
                                                     "silu",
                                                     "tanh",
                                                     "sigmoid",
                                                     "softmax",
                                                     "reshape",
                                                     "concat",
                                                     "add",
                                                     "upsample",
                                                     "embedding",
                                                     "lstm",
                                                     "gru"};
static_assert(kWords.size() == static_cast<std::size_t>(LayerType::kGru) + 1);

struct Part {
  const char* name;
  Shape shape;
};

std::vector<Part> GatesOf(const LayerSpec& layer, std::int64_t gates) {
  const std::int64_t rows = gates * layer.units;
  return {{"weight_ih", {rows, layer.input.back()}},
          {"weight_hh", {rows, layer.units}},
          {"bias_ih", {rows}},
          {"bias_hh", {rows}}};
}

std::vector<Part> WithBias(const LayerSpec& layer, Shape weight, std::int64_t outputs) {
  std::vector<Part> parts = {{"weight", std::move(weight)}};
  if (layer.bias) parts.push_back({"bias", {outputs}});
  return parts;
}

std::vector<Part> PartsOf(const LayerSpec& layer) {
  const std::int64_t channels = layer.input.front(), features = layer.input.back();
  const auto [height, width] = layer.kernel;
  switch (layer.type) {
    case LayerType::kConv2d:
      return WithBias(layer, {layer.filters, channels / layer.groups, height, width},
                      layer.filters);
    case LayerType::kConvTranspose2d:
      return WithBias(layer, {channels, layer.filters, height, width}, layer.filters);
    case LayerType::kDense:
      return WithBias(layer, {layer.units, features}, layer.units);
    case LayerType::kBatchNorm:
      return {{"weight", {channels}},
              {"bias", {channels}},
              {"running_mean", {channels}},
              {"running_var", {channels}}};
    case LayerType::kLayerNorm:
      return {{"weight", {features}}, {"bias", {features}}};
    case LayerType::kGroupNorm:
      return {{"weight", {channels}}, {"bias", {channels}}};
    case LayerType::kEmbedding:
      return {{"weight", {layer.entries, layer.units}}};
    case LayerType::kLstm:
      return GatesOf(layer, 4);
    case LayerType::kGru:
      return GatesOf(layer, 3);
    default:
      return {};
  }
}

}  // namespace

std::string_view WordOf(LayerType type) {
  return kWords.at(static_cast<std::size_t>(type));
}

// [classes], [classes, height, width] or [time, classes].
std::int64_t NetworkSpec::num_classes() const {
  return output().size() == 2 ? output().back() : output().front();
}

Shape TargetShape(const NetworkSpec& network) {
  const Shape& output = network.output();
  if (network.loss.type != LossType::kSoftmaxCrossEntropy) return output;
  if (output.size() == 2) return {output.front()};
  return {output.begin() + 1, output.end()};
}

Layout ParameterLayout(const NetworkSpec& network) {
  return ParameterLayout(network, network.layers.size());
}

Layout ParameterLayout(const NetworkSpec& network, std::size_t layers) {
  Layout layout;
  for (std::size_t i = 0; i < layers; ++i) {
    std::ranges::move(ParameterLayout(network.layers[i]), std::back_inserter(layout));
  }
  return layout;
}

Layout ParameterLayout(const LayerSpec& layer) {
  Layout layout;
  for (Part& part : PartsOf(layer)) {
    layout.push_back({.name = layer.name + "." + part.name,
                      .dtype = DType::kFloat32,
                      .shape = std::move(part.shape)});
  }
  return layout;
}

bool IsTrained(const std::string& parameter) {
  return !IsRunningStatistic(parameter);
}

}  // namespace fx
