#include "tasks/onednn/graph.h"

#include <algorithm>
#include <utility>

namespace fx::onednn {
namespace {

std::size_t At(std::int64_t layer) {
  return static_cast<std::size_t>(layer);
}

bool HasParameters(const NetworkSpec& spec, std::size_t layer) {
  return ParameterLayout(spec, layer + 1).size() > ParameterLayout(spec, layer).size();
}

std::size_t CountReaders(const NetworkSpec& spec, std::size_t layer) {
  std::size_t readers = 0;
  for (const LayerSpec& other : spec.layers) {
    readers += At(std::ranges::count(other.inputs, static_cast<std::int64_t>(layer)));
  }
  return readers;
}

bool TreatsEachValue(LayerType type) {
  switch (type) {
    case LayerType::kRelu:
    case LayerType::kDropout:
    case LayerType::kFlatten:
    case LayerType::kLeakyRelu:
    case LayerType::kGelu:
    case LayerType::kSilu:
    case LayerType::kTanh:
    case LayerType::kSigmoid:
      return true;
    default:
      return false;
  }
}

}  // namespace

NetworkSpec Reordered(NetworkSpec spec) {
  for (std::size_t i = 0; i + 1 < spec.layers.size(); ++i) {
    LayerSpec& relu = spec.layers[i];
    LayerSpec& pool = spec.layers[i + 1];
    if (relu.type != LayerType::kRelu || pool.type != LayerType::kMaxPool) continue;
    if (pool.inputs.front() != static_cast<std::int64_t>(i) || CountReaders(spec, i) != 1) continue;
    std::swap(relu, pool);
    std::swap(relu.inputs, pool.inputs);
    spec.layers[i + 1].input = spec.layers[i + 1].output = spec.layers[i].output;
  }
  return spec;
}

Graph::Graph(const NetworkSpec& spec) : spec_(spec), uses_(spec.layers.size()) {
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    bool needs = HasParameters(spec, i);
    const auto& inputs = spec.layers[i].inputs;
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      if (inputs[k] == kNetworkInput) {
        ++input_uses_;
        continue;
      }
      uses_[At(inputs[k])].push_back({.reader = i, .input = k});
      needs = needs || needs_gradient_[At(inputs[k])];
    }
    needs_gradient_.push_back(needs);
  }
}

bool Graph::WantsInputGradient(std::size_t layer) const {
  return std::ranges::any_of(spec_.layers[layer].inputs, [&](std::int64_t input) {
    return input != kNetworkInput && needs_gradient_[At(input)];
  });
}

bool Graph::CanRectify(std::size_t layer) const {
  if (!FusesRelu(static_cast<std::int64_t>(layer))) return false;
  const LayerSpec* reader = OnlyReader(layer);
  if (reader != nullptr && reader->type == LayerType::kMaxPool) {
    reader = OnlyReader(uses_[layer].front().reader);
  }
  return reader != nullptr && reader->type == LayerType::kRelu;
}

bool Graph::AlreadyRectified(std::size_t relu) const {
  const std::int64_t before = RectifierOf(relu);
  return FusesRelu(before) && CanRectify(At(before));
}

bool Graph::GradientRectified(std::size_t relu) const {
  return AlreadyRectified(relu) && Is(RectifierOf(relu), LayerType::kBatchNorm);
}

std::int64_t Graph::RectifierOf(std::size_t relu) const {
  const std::int64_t before = spec_.layers[relu].inputs.front();
  return Is(before, LayerType::kMaxPool) ? spec_.layers[At(before)].inputs.front() : before;
}

bool Graph::OnlyDenseReads(std::size_t layer) const {
  return !uses_[layer].empty() && std::ranges::all_of(uses_[layer], [&](const Use& use) {
    const LayerType type = spec_.layers[use.reader].type;
    return type == LayerType::kDense || (TreatsEachValue(type) && OnlyDenseReads(use.reader));
  });
}

bool Graph::NeedsFloats(std::size_t layer) const {
  const LayerSpec& spec = spec_.layers[layer];
  switch (spec.type) {
    case LayerType::kMaxPool:
    case LayerType::kAvgPool:
      // Gradients of windows that overlap would be added up in bfloat16.
      return spec.stride[0] < spec.kernel[0] || spec.stride[1] < spec.kernel[1];
    case LayerType::kConvTranspose2d:  // in bfloat16 oneDNN 2.6 takes five times as long
    case LayerType::kDropout:
    case LayerType::kSoftmax:
    case LayerType::kLayerNorm:
    case LayerType::kGroupNorm:
    case LayerType::kUpsample:
    case LayerType::kEmbedding:
    case LayerType::kLstm:
    case LayerType::kGru:
      return true;
    default:
      return false;
  }
}

bool Graph::OnlyFloatLayersRead(std::size_t layer) const {
  return std::ranges::all_of(uses_[layer], [&](const Use& use) { return NeedsFloats(use.reader); });
}

bool Graph::Joins(std::size_t layer) const {
  const LayerType type = spec_.layers[layer].type;
  return type == LayerType::kAdd || type == LayerType::kConcat;
}

bool Graph::ReadsAlone(std::size_t layer) const {
  const std::int64_t input = spec_.layers[layer].inputs.front();
  return input == kNetworkInput ? input_uses_ == 1 : uses_[At(input)].size() == 1;
}

const LayerSpec* Graph::OnlyReader(std::size_t layer) const {
  return uses_[layer].size() == 1 ? &spec_.layers[uses_[layer].front().reader] : nullptr;
}

bool Graph::Is(std::int64_t layer, LayerType type) const {
  return layer != kNetworkInput && spec_.layers[At(layer)].type == type;
}

bool Graph::FusesRelu(std::int64_t layer) const {
  return Is(layer, LayerType::kConv2d) || Is(layer, LayerType::kDense) ||
         Is(layer, LayerType::kAdd) ||
         // oneDNN has only slow code for other numbers of channels.
         (Is(layer, LayerType::kBatchNorm) && spec_.layers[At(layer)].output.front() % 8 == 0);
}

}  // namespace fx::onednn
