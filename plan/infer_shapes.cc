// What comes out of each layer, worked out from what goes in.
#include <algorithm>
#include <numeric>

#include "core/base/format.h"
#include "plan/network_spec.h"

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

std::int64_t CheckedProduct(const Shape& shape) {
  std::int64_t product = 1;
  for (const std::int64_t extent : shape) {
    if (extent <= 0 || product > kMaxSampleElements / extent) return -1;
    product *= extent;
  }
  return product;
}

Status NeedImage(const LayerSpec& layer) {
  if (IsImage(layer.input)) return Ok();
  return Misfit(layer,
                "takes [channels, height, width], but its input is {}; put it before flatten",
                ToString(layer.input));
}

Status NeedSequence(const LayerSpec& layer) {
  if (layer.input.size() == 2) return Ok();
  return Misfit(layer, "takes [time, features], but its input is {}; put it behind an embedding",
                ToString(layer.input));
}

Status NeedDivisors(const LayerSpec& layer) {
  const std::int64_t channels = layer.input.front();
  const bool filters = layer.type != LayerType::kConv2d || layer.filters % layer.groups == 0;
  if (channels % layer.groups == 0 && filters) return Ok();
  return Misfit(layer, "has {} groups, which must divide its {} channels{}", layer.groups, channels,
                layer.type == LayerType::kConv2d ? format(" and {} filters", layer.filters) : "");
}

// How far a kernel reaches along an axis.
std::int64_t Reach(const LayerSpec& layer, std::size_t axis) {
  return layer.dilation[axis] * (layer.kernel[axis] - 1) + 1;
}

// Windows of `kernel` over a padded image.
Status InferWindow(LayerSpec& layer, std::int64_t channels) {
  TRY(NeedImage(layer));
  layer.output = {channels, 0, 0};
  for (const std::size_t axis : {0U, 1U}) {
    const std::int64_t padded = layer.input[axis + 1] + 2 * layer.padding[axis];
    if (Reach(layer, axis) > padded) {
      return Misfit(layer, "has a kernel of {}x{}, larger than its input {}", layer.kernel[0],
                    layer.kernel[1], ToString(layer.input));
    }
    if (layer.padding[axis] >= Reach(layer, axis)) {
      return Misfit(layer, "has padding {}, expected less than the kernel's {}",
                    layer.padding[axis], Reach(layer, axis));
    }
    layer.output[axis + 1] = (padded - Reach(layer, axis)) / layer.stride[axis] + 1;
  }
  return Ok();
}

Status InferConv(LayerSpec& layer) {
  TRY(InferWindow(layer, layer.filters));
  return NeedDivisors(layer);
}

Status InferConvTranspose(LayerSpec& layer) {
  TRY(NeedImage(layer));
  layer.output = {layer.filters, 0, 0};
  for (const std::size_t axis : {0U, 1U}) {
    if (layer.output_padding[axis] >= layer.stride[axis]) {
      return Misfit(layer, "has output_padding {}, expected less than the stride's {}",
                    layer.output_padding[axis], layer.stride[axis]);
    }
    const std::int64_t extent = (layer.input[axis + 1] - 1) * layer.stride[axis] -
                                2 * layer.padding[axis] + layer.kernel[axis] +
                                layer.output_padding[axis];
    if (extent < 1 || layer.padding[axis] >= layer.kernel[axis]) {
      return Misfit(layer, "has padding {}, which leaves nothing of its input {}",
                    layer.padding[axis], ToString(layer.input));
    }
    layer.output[axis + 1] = extent;
  }
  return Ok();
}

Status InferDense(LayerSpec& layer) {
  if (IsImage(layer.input)) {
    return Misfit(layer, "takes [features], but its input is {}; put a flatten layer before it",
                  ToString(layer.input));
  }
  layer.output = layer.input;
  layer.output.back() = layer.units;
  return Ok();
}

Status InferChannels(LayerSpec& layer) {
  layer.output = layer.input;
  if (layer.type == LayerType::kLayerNorm && IsImage(layer.input)) {
    return Misfit(layer,
                  "takes [features] or [time, features], but its input is {}; group_norm "
                  "normalises images",
                  ToString(layer.input));
  }
  if (layer.type == LayerType::kBatchNorm && layer.input.size() == 2) {
    return Misfit(layer,
                  "takes [features] or [channels, height, width], but its input is {}; "
                  "layer_norm normalises sequences",
                  ToString(layer.input));
  }
  if (layer.type != LayerType::kGroupNorm) return Ok();
  TRY(NeedImage(layer));
  return NeedDivisors(layer);
}

Status InferReshape(LayerSpec& layer) {
  layer.output = layer.shape;
  if (CheckedProduct(layer.shape) == NumElements(layer.input)) return Ok();
  return Misfit(layer, "makes {} of its input {}, which has {} values", ToString(layer.shape),
                ToString(layer.input), NumElements(layer.input));
}

Status InferConcat(LayerSpec& layer, const std::vector<Shape>& inputs) {
  layer.output = layer.input;
  for (std::size_t i = 1; i < inputs.size(); ++i) {
    if (inputs[i].size() != layer.input.size() ||
        !std::equal(inputs[i].begin() + 1, inputs[i].end(), layer.input.begin() + 1)) {
      return Misfit(layer, "joins {} and {}, which may differ in their first extent only",
                    ToString(layer.input), ToString(inputs[i]));
    }
    layer.output.front() += inputs[i].front();
  }
  return Ok();
}

Status InferAdd(LayerSpec& layer, const std::vector<Shape>& inputs) {
  layer.output = layer.input;
  for (const Shape& other : inputs) {
    if (other == layer.input) continue;
    return Misfit(layer, "adds {} and {}, which must be alike", ToString(layer.input),
                  ToString(other));
  }
  return Ok();
}

Status InferUpsample(LayerSpec& layer) {
  TRY(NeedImage(layer));
  layer.output = {layer.input[0], layer.input[1] * layer.scale[0], layer.input[2] * layer.scale[1]};
  return Ok();
}

Status InferEmbedding(LayerSpec& layer) {
  if (layer.inputs.front() != kNetworkInput) {
    return Misfit(layer, "takes whole numbers, which only the sample has, but reads another layer");
  }
  if (layer.input.size() != 1) {
    return Misfit(layer, "takes [time], a list of whole numbers, but its input is {}",
                  ToString(layer.input));
  }
  layer.output = {layer.input.front(), layer.units};
  return Ok();
}

Status InferRecurrent(LayerSpec& layer) {
  TRY(NeedSequence(layer));
  layer.output =
      layer.return_sequences ? Shape{layer.input.front(), layer.units} : Shape{layer.units};
  return Ok();
}

Status InferLayer(LayerSpec& layer, const std::vector<Shape>& inputs) {
  switch (layer.type) {
    case LayerType::kConv2d:
      return InferConv(layer);
    case LayerType::kConvTranspose2d:
      return InferConvTranspose(layer);
    case LayerType::kMaxPool:
    case LayerType::kAvgPool:
      return InferWindow(layer, layer.input.front());
    case LayerType::kGlobalAvgPool:
      layer.output = {layer.input.front()};
      return NeedImage(layer);
    case LayerType::kDense:
      return InferDense(layer);
    case LayerType::kFlatten:
      layer.output = {NumElements(layer.input)};
      return Ok();
    case LayerType::kBatchNorm:
    case LayerType::kLayerNorm:
    case LayerType::kGroupNorm:
      return InferChannels(layer);
    case LayerType::kReshape:
      return InferReshape(layer);
    case LayerType::kConcat:
      return InferConcat(layer, inputs);
    case LayerType::kAdd:
      return InferAdd(layer, inputs);
    case LayerType::kUpsample:
      return InferUpsample(layer);
    case LayerType::kEmbedding:
      return InferEmbedding(layer);
    case LayerType::kLstm:
    case LayerType::kGru:
      return InferRecurrent(layer);
    case LayerType::kRelu:
    case LayerType::kDropout:
    case LayerType::kLeakyRelu:
    case LayerType::kGelu:
    case LayerType::kSilu:
    case LayerType::kTanh:
    case LayerType::kSigmoid:
    case LayerType::kSoftmax:
      layer.output = layer.input;
      return Ok();
  }
  return Ok();
}

Status CheckSize(const LayerSpec& layer) {
  for (const std::int64_t extent : layer.output) {
    if (layer.type != LayerType::kFlatten && extent > kMaxExtent) {
      return Misfit(layer, "has the output {}, expected at most {} a side", ToString(layer.output),
                    kMaxExtent);
    }
  }
  if (CheckedProduct(layer.output) > 0) return Ok();
  return Misfit(layer, "has the output {}, expected at most {} values a sample",
                ToString(layer.output), kMaxSampleElements);
}

Status CheckInputShape(const Shape& shape) {
  const bool fits = !shape.empty() && shape.size() <= 3 && CheckedProduct(shape) > 0 &&
                    *std::ranges::max_element(shape) <= kMaxExtent;
  if (fits) return Ok();
  return Fail(
      ErrorCode::kInvalidArgument,
      format("input_shape is {}, expected [features], [time, features] or [channels, height, "
             "width], at most {} values in all",
             ToString(shape), kMaxSampleElements));
}

// What the layer at `index` reads.
Result<std::vector<Shape>> InputsOf(NetworkSpec& network, std::size_t index) {
  LayerSpec& layer = network.layers[index];
  const auto place = static_cast<std::int64_t>(index);
  if (layer.inputs.empty()) layer.inputs = {place - 1};
  const bool joins = layer.type == LayerType::kConcat || layer.type == LayerType::kAdd;
  if (joins != (layer.inputs.size() > 1)) {
    TRY(Misfit(layer, "has {}, expected {}",
               layer.inputs.size() == 1 ? "one input" : format("{} inputs", layer.inputs.size()),
               joins ? "two or more" : "one"));
  }
  std::vector<Shape> shapes;
  for (const std::int64_t input : layer.inputs) {
    FX_CHECK(input >= kNetworkInput && input < place);
    shapes.push_back(input == kNetworkInput
                         ? network.input_shape
                         : network.layers[static_cast<std::size_t>(input)].output);
  }
  return shapes;
}

Status CheckOutput(const NetworkSpec& network) {
  const LayerSpec& last = network.layers.back();
  if (network.loss.type == LossType::kSoftmaxCrossEntropy && network.num_classes() < 2) {
    return Misfit(last,
                  "is the last and has the output {}, expected [classes] with two classes or more",
                  ToString(last.output));
  }
  const std::size_t weights = network.loss.class_weights.size();
  const std::int64_t classes = network.num_classes();
  if (weights == 0 || static_cast<std::int64_t>(weights) == classes) return Ok();
  return Misfit(last, "has the output {}, which is {} classes, but there are {} class weights",
                ToString(last.output), classes, weights);
}

// All layers but the last should lead somewhere: the place of the first that does not, or the last.
std::size_t FirstUnused(const NetworkSpec& network) {
  std::vector<bool> used(network.layers.size() - 1);
  for (const LayerSpec& layer : network.layers) {
    for (const std::int64_t input : layer.inputs) {
      if (input >= 0) used[static_cast<std::size_t>(input)] = true;
    }
  }
  return static_cast<std::size_t>(std::ranges::find(used, false) - used.begin());
}

// Adds those of the layer to `total`.
Status CountParameters(const LayerSpec& layer, std::int64_t& total) {
  for (const TensorSpec& tensor : ParameterLayout(layer)) total += NumElements(tensor.shape);
  if (total <= kMaxParameters) return Ok();
  return Misfit(layer, "brings the network to {} weights, expected at most {}", total,
                kMaxParameters);
}

}  // namespace

Status InferLayerShapes(NetworkSpec& network, std::size_t index) {
  LayerSpec& layer = network.layers[index];
  const std::vector<Shape> inputs = TRY(InputsOf(network, index));
  layer.input = inputs.front();
  layer.output.clear();
  TRY(InferLayer(layer, inputs));
  return CheckSize(layer);
}

Status InferShapes(NetworkSpec& network, std::size_t* culprit) {
  std::size_t unused = 0;
  std::size_t& at = culprit != nullptr ? *culprit : unused;
  at = 0;
  TRY(CheckInputShape(network.input_shape));
  if (network.layers.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "the network has no layers, expected at least one");
  }
  std::int64_t parameters = 0;
  for (at = 0; at < network.layers.size(); ++at) {
    TRY(InferLayerShapes(network, at));
    TRY(CountParameters(network.layers[at], parameters));
  }
  at = FirstUnused(network);
  if (at + 1 < network.layers.size()) {
    return Misfit(network.layers[at], "is not read by any layer, nor is it the last");
  }
  return CheckOutput(network);
}

}  // namespace fx
