#include "plan/network_spec.h"

#include "core/base/format.h"

namespace fx {
namespace {

// A sample or a network beyond these is a slip of the keyboard, and would overflow elsewhere.
constexpr std::int64_t kMaxExtent = 1 << 20;
constexpr std::int64_t kMaxSampleElements = 1LL << 28;
constexpr std::int64_t kMaxParameters = 1LL << 32;

template <typename... Args>
Status Misfit(const LayerSpec& layer, fmt::format_string<Args...> text, Args&&... args) {
  return Fail(ErrorCode::kInvalidArgument,
              format("layer {} {}", layer.name, format(text, std::forward<Args>(args)...)));
}

bool IsImage(const Shape& shape) {
  return shape.size() == 3;
}

// Height or width after a window of `kernel` has moved over `extent` in steps of `stride`.
std::int64_t Slide(const LayerSpec& layer, std::size_t axis) {
  const std::int64_t padded = layer.input[axis + 1] + 2 * layer.padding[axis];
  return (padded - layer.kernel[axis]) / layer.stride[axis] + 1;
}

Status InferWindow(LayerSpec& layer, std::int64_t channels) {
  if (!IsImage(layer.input)) {
    return Misfit(layer,
                  "takes [channels, height, width], but its input is {}; put it before flatten",
                  ToString(layer.input));
  }
  for (const std::size_t axis : {0U, 1U}) {
    const std::int64_t extent = layer.input[axis + 1];
    if (layer.kernel[axis] > extent + 2 * layer.padding[axis]) {
      return Misfit(layer, "has a kernel of {}x{}, larger than its input {}", layer.kernel[0],
                    layer.kernel[1], ToString(layer.input));
    }
    if (layer.padding[axis] >= layer.kernel[axis]) {
      return Misfit(layer, "has padding {}, expected less than the kernel's {}",
                    layer.padding[axis], layer.kernel[axis]);
    }
  }
  layer.output = {channels, Slide(layer, 0), Slide(layer, 1)};
  return Ok();
}

Status InferDense(LayerSpec& layer) {
  if (layer.input.size() != 1) {
    return Misfit(layer, "takes [features], but its input is {}; put a flatten layer before it",
                  ToString(layer.input));
  }
  layer.output = {layer.units};
  return Ok();
}

Status InferLayer(LayerSpec& layer) {
  switch (layer.type) {
    case LayerType::kConv2d:
      return InferWindow(layer, layer.filters);
    case LayerType::kMaxPool:
      return InferWindow(layer, layer.input.front());
    case LayerType::kDense:
      return InferDense(layer);
    case LayerType::kFlatten:
      layer.output = {NumElements(layer.input)};
      return Ok();
    case LayerType::kRelu:
    case LayerType::kDropout:
      layer.output = layer.input;
      return Ok();
  }
  return Ok();
}

Status CheckSize(const LayerSpec& layer) {
  std::int64_t elements = 1;
  for (const std::int64_t extent : layer.output) {
    if (layer.type != LayerType::kFlatten && extent > kMaxExtent) {
      return Misfit(layer, "has the output {}, expected at most {} a side", ToString(layer.output),
                    kMaxExtent);
    }
    elements *= extent;
  }
  if (elements <= kMaxSampleElements) return Ok();
  return Misfit(layer, "has the output {}, expected at most {} values a sample",
                ToString(layer.output), kMaxSampleElements);
}

Status CheckInputShape(const Shape& shape) {
  bool fits = shape.size() == 1 || IsImage(shape);
  std::int64_t elements = 1;
  for (const std::int64_t extent : shape) {
    fits = fits && extent >= 1 && extent <= kMaxExtent;
    if (fits) elements *= extent;
  }
  if (fits && elements <= kMaxSampleElements) return Ok();
  return Fail(
      ErrorCode::kInvalidArgument,
      format("input_shape is {}, expected [features] or [channels, height, width], at most {} "
             "values in all",
             ToString(shape), kMaxSampleElements));
}

Shape WeightShape(const LayerSpec& layer) {
  if (layer.type == LayerType::kDense) return {layer.units, layer.input.front()};
  return {layer.filters, layer.input.front(), layer.kernel[0], layer.kernel[1]};
}

bool HasParameters(const LayerSpec& layer) {
  return layer.type == LayerType::kConv2d || layer.type == LayerType::kDense;
}

}  // namespace

Status InferShapes(NetworkSpec& network) {
  TRY(CheckInputShape(network.input_shape));
  if (network.layers.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "the network has no layers, expected at least one");
  }
  Shape shape = network.input_shape;
  std::int64_t parameters = 0;
  for (LayerSpec& layer : network.layers) {
    layer.input = shape;
    layer.output.clear();
    TRY(InferLayer(layer));
    TRY(CheckSize(layer));
    shape = layer.output;
    if (HasParameters(layer)) parameters += NumElements(WeightShape(layer));
    if (parameters > kMaxParameters) {
      return Misfit(layer, "brings the network to {} weights, expected at most {}", parameters,
                    kMaxParameters);
    }
  }
  const LayerSpec& last = network.layers.back();
  if (last.output.size() == 1 && last.output[0] >= 2) return Ok();
  return Misfit(last,
                "is the last and has the output {}, expected [classes] with two classes or more",
                ToString(last.output));
}

Layout ParameterLayout(const NetworkSpec& network) {
  Layout layout;
  for (const LayerSpec& layer : network.layers) {
    if (!HasParameters(layer)) continue;
    const Shape weight = WeightShape(layer);
    layout.push_back({layer.name + ".weight", DType::kFloat32, weight});
    if (layer.bias) layout.push_back({layer.name + ".bias", DType::kFloat32, {weight.front()}});
  }
  return layout;
}

}  // namespace fx
