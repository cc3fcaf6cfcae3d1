// The judge of the native layers: the same mathematics in double precision, one sample at a time,
// as plain loops over the definitions, with nothing fused, reordered or shared.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"
#include "plan/network_spec.h"

namespace fx::test {

using Values = std::vector<double>;

// Multiplies the output of a dropout layer, element by element; set by the test.
using DropoutMask = std::function<Values(const LayerSpec& layer, std::size_t sample)>;

class Reference {
 public:
  // `spec` has its shapes inferred; `parameters` are in ParameterLayout.
  Reference(NetworkSpec spec, const Model& parameters);

  std::vector<Values>& parameters() { return parameters_; }
  void set_dropout(DropoutMask mask) { dropout_ = std::move(mask); }

  // The cross-entropy of one sample; `sample` is its place in the batch, for dropout.
  double Loss(std::span<const float> input, std::int32_t label, std::size_t sample = 0) const;
  bool IsCorrect(std::span<const float> input, std::int32_t label) const;

  // Adds the gradient of `weight` x the loss of one sample to `gradients` (shaped as parameters()).
  void AddGradient(std::span<const float> input, std::int32_t label, double weight,
                   std::vector<Values>& gradients, std::size_t sample = 0) const;
  std::vector<Values> ZeroGradients() const;

 private:
  struct Weights {
    std::ptrdiff_t weight = -1, bias = -1;  // indices into parameters_; -1: none
  };
  Values Forward(const LayerSpec& layer, Weights at, const Values& input, std::size_t sample) const;
  Values Backward(const LayerSpec& layer, Weights at, const Values& input, const Values& gradient,
                  std::vector<Values>& gradients, std::size_t sample) const;
  // The input of every layer, then the logits.
  std::vector<Values> Activations(std::span<const float> input, std::size_t sample) const;

  NetworkSpec spec_;
  std::vector<Weights> weights_;  // a layer
  std::vector<Values> parameters_;
  DropoutMask dropout_;
};

}  // namespace fx::test
