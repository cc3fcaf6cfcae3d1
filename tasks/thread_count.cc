#include "tasks/thread_count.h"

#include <algorithm>

#include "core/tensor/tensor.h"

namespace fx {
namespace {

constexpr std::int64_t kWorthAThread = 8'000'000;
constexpr double kOfAWeight = 5;  // which the optimizer moves

std::int64_t GatesOf(LayerType type) {
  return type == LayerType::kLstm ? 4 : 3;
}

// Each weight meets each place: pixels of a convolution's output, or of a transposed one's input;
// steps in time.
std::int64_t MultiplyAdds(const LayerSpec& layer) {
  const Shape &in = layer.input, &out = layer.output;
  switch (layer.type) {
    case LayerType::kConv2d:
      return NumElements(out) * in[0] / layer.groups * layer.kernel[0] * layer.kernel[1];
    case LayerType::kConvTranspose2d:
      return NumElements(in) * out[0] * layer.kernel[0] * layer.kernel[1];
    case LayerType::kDense:
      return in.size() == 2 ? NumElements(in) * layer.units : NumElements(in) * out[0];
    case LayerType::kLstm:
    case LayerType::kGru:
      return in[0] * GatesOf(layer.type) * layer.units * (in[1] + layer.units);
    default:
      return 0;
  }
}

}  // namespace

std::int64_t MultiplyAdds(const NetworkSpec& network) {
  std::int64_t sum = 0;
  for (const LayerSpec& layer : network.layers) sum += MultiplyAdds(layer);
  return sum;
}

int WorthThreads(const NetworkSpec& network, std::int64_t batch, int cores) {
  double work = static_cast<double>(MultiplyAdds(network)) * static_cast<double>(batch);
  for (const TensorSpec& weights : ParameterLayout(network)) {
    work += kOfAWeight * static_cast<double>(NumElements(weights.shape));
  }
  const double worth = work / static_cast<double>(kWorthAThread);
  return std::max(1, static_cast<int>(std::min<double>(worth, cores)));
}

}  // namespace fx
