#include "tests/numeric/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fx::test {
namespace {

// Calls body(channel, row, column, kernel row, kernel column, input row, input column) for every
// window of every output element, leaving out what lies in the padding.
template <typename Body>
void ForEachTap(const LayerSpec& layer, Body body) {
  for (std::int64_t c = 0; c < layer.output[0]; ++c) {
    for (std::int64_t y = 0; y < layer.output[1]; ++y) {
      for (std::int64_t x = 0; x < layer.output[2]; ++x) {
        for (std::int64_t ky = 0; ky < layer.kernel[0]; ++ky) {
          for (std::int64_t kx = 0; kx < layer.kernel[1]; ++kx) {
            const std::int64_t iy = y * layer.stride[0] + ky - layer.padding[0];
            const std::int64_t ix = x * layer.stride[1] + kx - layer.padding[1];
            if (iy < 0 || iy >= layer.input[1] || ix < 0 || ix >= layer.input[2]) continue;
            body(c, y, x, ky, kx, iy, ix);
          }
        }
      }
    }
  }
}

std::size_t At(const Shape& shape, std::int64_t c, std::int64_t y, std::int64_t x) {
  return static_cast<std::size_t>((c * shape[1] + y) * shape[2] + x);
}

std::size_t WeightAt(const LayerSpec& layer, std::int64_t out, std::int64_t in, std::int64_t ky,
                     std::int64_t kx) {
  return static_cast<std::size_t>(
      ((out * layer.input[0] + in) * layer.kernel[0] + ky) * layer.kernel[1] + kx);
}

Values Conv2dForward(const LayerSpec& layer, const Values& input, const Values& weight) {
  Values output(static_cast<std::size_t>(NumElements(layer.output)));
  ForEachTap(layer, [&](auto c, auto y, auto x, auto ky, auto kx, auto iy, auto ix) {
    for (std::int64_t in = 0; in < layer.input[0]; ++in) {
      output[At(layer.output, c, y, x)] +=
          weight[WeightAt(layer, c, in, ky, kx)] * input[At(layer.input, in, iy, ix)];
    }
  });
  return output;
}

Values Conv2dBackward(const LayerSpec& layer, const Values& input, const Values& weight,
                      const Values& gradient, Values& weight_gradient) {
  Values result(input.size());
  ForEachTap(layer, [&](auto c, auto y, auto x, auto ky, auto kx, auto iy, auto ix) {
    const double g = gradient[At(layer.output, c, y, x)];
    for (std::int64_t in = 0; in < layer.input[0]; ++in) {
      const std::size_t w = WeightAt(layer, c, in, ky, kx);
      const std::size_t i = At(layer.input, in, iy, ix);
      weight_gradient[w] += g * input[i];
      result[i] += g * weight[w];
    }
  });
  return result;
}

// For each output element the index of the largest input of its window.
std::vector<std::size_t> Largest(const LayerSpec& layer, const Values& input) {
  const auto none = std::numeric_limits<std::size_t>::max();
  std::vector<std::size_t> winner(static_cast<std::size_t>(NumElements(layer.output)), none);
  ForEachTap(layer, [&](auto c, auto y, auto x, auto, auto, auto iy, auto ix) {
    std::size_t& best = winner[At(layer.output, c, y, x)];
    const std::size_t i = At(layer.input, c, iy, ix);
    if (best == none || input[i] > input[best]) best = i;
  });
  return winner;
}

Values DenseForward(const Values& input, const Values& weight) {
  Values output(weight.size() / input.size());
  for (std::size_t o = 0; o < output.size(); ++o) {
    for (std::size_t i = 0; i < input.size(); ++i)
      output[o] += weight[o * input.size() + i] * input[i];
  }
  return output;
}

Values DenseBackward(const Values& input, const Values& weight, const Values& gradient,
                     Values& weight_gradient) {
  Values result(input.size());
  for (std::size_t o = 0; o < gradient.size(); ++o) {
    for (std::size_t i = 0; i < input.size(); ++i) {
      weight_gradient[o * input.size() + i] += gradient[o] * input[i];
      result[i] += gradient[o] * weight[o * input.size() + i];
    }
  }
  return result;
}

Values Softmax(const Values& logits) {
  const double largest = *std::ranges::max_element(logits);
  Values p;
  double sum = 0;
  for (const double z : logits) sum += p.emplace_back(std::exp(z - largest));
  for (double& x : p) x /= sum;
  return p;
}

}  // namespace

Reference::Reference(NetworkSpec spec, const Model& parameters) : spec_(std::move(spec)) {
  std::ptrdiff_t next = 0;
  for (const LayerSpec& layer : spec_.layers) {
    Weights at;
    if (layer.type == LayerType::kConv2d || layer.type == LayerType::kDense) {
      at.weight = next++;
      if (layer.bias) at.bias = next++;
    }
    weights_.push_back(at);
  }
  for (const NamedTensor& tensor : parameters) {
    const auto floats = tensor.tensor.floats();
    parameters_.emplace_back(floats.begin(), floats.end());
  }
}

Values Reference::Forward(const LayerSpec& layer, Weights at, const Values& input,
                          std::size_t sample) const {
  const auto parameter = [&](std::ptrdiff_t i) -> const Values& {
    return parameters_[static_cast<std::size_t>(i)];
  };
  Values output = input;
  switch (layer.type) {
    case LayerType::kConv2d:
      output = Conv2dForward(layer, input, parameter(at.weight));
      break;
    case LayerType::kDense:
      output = DenseForward(input, parameter(at.weight));
      break;
    case LayerType::kMaxPool:
      output.clear();
      for (const std::size_t i : Largest(layer, input)) output.push_back(input[i]);
      break;
    case LayerType::kRelu:
      for (double& x : output) x = std::max(x, 0.0);
      break;
    case LayerType::kDropout:
      if (dropout_)
        std::ranges::transform(output, dropout_(layer, sample), output.begin(), std::multiplies());
      break;
    case LayerType::kFlatten:
      break;
    default:
      FX_CHECK(false);  // one_layer.h judges the others
  }
  if (at.bias >= 0) {
    const Values& bias = parameter(at.bias);
    const std::size_t each = output.size() / bias.size();
    for (std::size_t i = 0; i < output.size(); ++i) output[i] += bias[i / each];
  }
  return output;
}

Values Reference::Backward(const LayerSpec& layer, Weights at, const Values& input,
                           const Values& gradient, std::vector<Values>& gradients,
                           std::size_t sample) const {
  const auto weight = static_cast<std::size_t>(at.weight);
  if (at.bias >= 0) {
    Values& bias = gradients[static_cast<std::size_t>(at.bias)];
    const std::size_t each = gradient.size() / bias.size();
    for (std::size_t i = 0; i < gradient.size(); ++i) bias[i / each] += gradient[i];
  }
  Values result(input.size());
  switch (layer.type) {
    case LayerType::kConv2d:
      return Conv2dBackward(layer, input, parameters_[weight], gradient, gradients[weight]);
    case LayerType::kDense:
      return DenseBackward(input, parameters_[weight], gradient, gradients[weight]);
    case LayerType::kMaxPool: {
      const std::vector<std::size_t> winner = Largest(layer, input);
      for (std::size_t i = 0; i < gradient.size(); ++i) result[winner[i]] += gradient[i];
      return result;
    }
    case LayerType::kRelu:
      for (std::size_t i = 0; i < result.size(); ++i) result[i] = input[i] > 0 ? gradient[i] : 0;
      return result;
    case LayerType::kDropout:
      if (!dropout_) return gradient;
      std::ranges::transform(gradient, dropout_(layer, sample), result.begin(), std::multiplies());
      return result;
    case LayerType::kFlatten:
      return gradient;
    default:
      FX_CHECK(false);
  }
  return result;
}

std::vector<Values> Reference::Activations(std::span<const float> input, std::size_t sample) const {
  std::vector<Values> values = {Values(input.begin(), input.end())};
  for (std::size_t i = 0; i < spec_.layers.size(); ++i) {
    values.push_back(Forward(spec_.layers[i], weights_[i], values.back(), sample));
  }
  return values;
}

double Reference::Loss(std::span<const float> input, std::int32_t label, std::size_t sample) const {
  const Values p = Softmax(Activations(input, sample).back());
  return -std::log(p[static_cast<std::size_t>(label)]);
}

bool Reference::IsCorrect(std::span<const float> input, std::int32_t label) const {
  const Values logits = Activations(input, 0).back();
  return std::ranges::max_element(logits) - logits.begin() == label;
}

void Reference::AddGradient(std::span<const float> input, std::int32_t label, double weight,
                            std::vector<Values>& gradients, std::size_t sample) const {
  const std::vector<Values> values = Activations(input, sample);
  Values gradient = Softmax(values.back());
  gradient[static_cast<std::size_t>(label)] -= 1;
  for (double& g : gradient) g *= weight;
  for (std::size_t i = spec_.layers.size(); i-- > 0;) {
    gradient = Backward(spec_.layers[i], weights_[i], values[i], gradient, gradients, sample);
  }
}

std::vector<Values> Reference::ZeroGradients() const {
  std::vector<Values> zeros;
  for (const Values& parameter : parameters_) zeros.emplace_back(parameter.size());
  return zeros;
}

}  // namespace fx::test
