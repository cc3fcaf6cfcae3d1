// The weights every party starts from.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "tasks/task_runner.h"

namespace fx {
namespace {

// A parameter is the layer's name, a point, and its part.
bool IsPart(const TensorSpec& spec, std::string_view part) {
  return std::string_view(spec.name).substr(spec.name.rfind('.') + 1) == part;
}

bool IsNorm(LayerType type) {
  return type == LayerType::kBatchNorm || type == LayerType::kLayerNorm ||
         type == LayerType::kGroupNorm;
}

void FillUniform(Tensor& tensor, RandomStream draws, double bound) {
  const auto scale = static_cast<float>(bound);
  for (float& value : tensor.floats()) value = (2 * draws.NextFloat() - 1) * scale;
}

void FillNorm(Tensor& tensor, const TensorSpec& spec) {
  const bool one = IsPart(spec, "weight") || IsPart(spec, "running_var");
  for (float& value : tensor.floats()) value = one ? 1.0F : 0.0F;
}

void FillNormal(Tensor& tensor, RandomStream draws) {
  for (float& value : tensor.floats()) value = static_cast<float>(draws.NextNormal());
}

// Convolutions and dense layers: both what PyTorch calls the fan-in, the elements of a slice of the
// first axis of the weights, also where those are transposed.
double WeightBound(const TensorSpec& weight, bool bias) {
  const double fan_in =
      static_cast<double>(NumElements(weight.shape)) / static_cast<double>(weight.shape.front());
  return std::sqrt((bias ? 1 : 6) / fan_in);
}

Tensor InitialTensor(const LayerSpec& layer, const TensorSpec& spec, std::uint64_t seed) {
  Tensor tensor(spec.shape);
  const RandomStream draws(seed, "initial/" + spec.name);
  if (IsNorm(layer.type)) {
    FillNorm(tensor, spec);
  } else if (layer.type == LayerType::kEmbedding) {
    FillNormal(tensor, draws);
  } else if (layer.type == LayerType::kLstm || layer.type == LayerType::kGru) {
    FillUniform(tensor, draws, 1 / std::sqrt(static_cast<double>(layer.units)));
  } else {
    const Layout layout = ParameterLayout(layer);
    FillUniform(tensor, draws, WeightBound(layout.front(), IsPart(spec, "bias")));
  }
  return tensor;
}

}  // namespace

Model InitialModel(const NetworkSpec& network) {
  Model model;
  for (const LayerSpec& layer : network.layers) {
    for (const TensorSpec& spec : ParameterLayout(layer)) {
      model.push_back({.name = spec.name, .tensor = InitialTensor(layer, spec, network.seed)});
    }
  }
  return model;
}

}  // namespace fx
