#include "plan/network_spec.h"

#include <string_view>

#include "core/base/format.h"

namespace fx {
namespace {

std::string_view TypeName(LayerType type) {
  switch (type) {
    case LayerType::kConv2d:
      return "conv2d";
    case LayerType::kMaxPool:
      return "max_pool";
    case LayerType::kDense:
      return "dense";
    case LayerType::kRelu:
      return "relu";
    case LayerType::kDropout:
      return "dropout";
    case LayerType::kFlatten:
      return "flatten";
  }
  FX_CHECK(false);
  return "";
}

Error Misfit(const LayerSpec& layer, const std::string& what) {
  return {ErrorCode::kInvalidArgument,
          format("line {}: layer {} ({}) {}", layer.line, layer.name, TypeName(layer.type), what)};
}

// Windows of one axis: floor((size + 2 padding - kernel) / stride) + 1.
Result<std::int64_t> Windows(const LayerSpec& layer, std::size_t axis) {
  const std::int64_t size = layer.input[axis + 1] + 2 * layer.padding[axis];
  if (layer.kernel[axis] <= size) return (size - layer.kernel[axis]) / layer.stride[axis] + 1;
  return Fail(Misfit(layer, format("has a kernel of {} x {}, larger than its padded input {}",
                                   layer.kernel[0], layer.kernel[1], ToString(layer.input))));
}

Result<Shape> OutputShape(const LayerSpec& layer) {
  switch (layer.type) {
    case LayerType::kConv2d:
    case LayerType::kMaxPool: {
      if (layer.input.size() != 3) {
        return Fail(Misfit(layer, format("needs an input [channels, height, width], but gets {}",
                                         ToString(layer.input))));
      }
      const bool conv = layer.type == LayerType::kConv2d;
      return Shape{conv ? layer.filters : layer.input[0], TRY(Windows(layer, 0)),
                   TRY(Windows(layer, 1))};
    }
    case LayerType::kDense:
      if (layer.input.size() == 1) return Shape{layer.units};
      return Fail(Misfit(layer, format("needs an input [features], but gets {}; put a flatten "
                                       "layer before it",
                                       ToString(layer.input))));
    case LayerType::kRelu:
    case LayerType::kDropout:
      return layer.input;
    case LayerType::kFlatten:
      return Shape{NumElements(layer.input)};
  }
  FX_CHECK(false);
  return Shape{};
}

}  // namespace

Status InferShapes(NetworkSpec& network) {
  Shape shape = network.input_shape;
  for (LayerSpec& layer : network.layers) {
    layer.input = shape;
    layer.output = TRY(OutputShape(layer));
    shape = layer.output;
  }
  if (shape.size() == 1) return Ok();
  return Fail(ErrorCode::kInvalidArgument,
              format("the network's output is {}, expected [classes]; end it with a dense layer",
                     ToString(shape)));
}

Layout ParameterLayout(const NetworkSpec& network) {
  Layout layout;
  for (const LayerSpec& layer : network.layers) {
    const bool conv = layer.type == LayerType::kConv2d;
    if (!conv && layer.type != LayerType::kDense) continue;
    const std::int64_t outputs = conv ? layer.filters : layer.units;
    Shape weight = conv ? Shape{outputs, layer.input[0], layer.kernel[0], layer.kernel[1]}
                        : Shape{outputs, layer.input[0]};
    layout.push_back({.name = layer.name + ".weight", .shape = std::move(weight)});
    if (layer.bias) layout.push_back({.name = layer.name + ".bias", .shape = {outputs}});
  }
  return layout;
}

}  // namespace fx
