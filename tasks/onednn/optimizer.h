// SGD with momentum, and Adam. Elementwise, so the layout of a parameter does not matter to them,
// and padding stays zero.
//
//   g = gradient + weight_decay w
//   sgd:   v = momentum v + g;  w = w - lr v
//   adam:  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//          w = w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//   (Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1)
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "plan/network_spec.h"
#include "tasks/onednn/layer.h"

namespace fx::onednn {

class Optimizer {
 public:
  // `parameters` are placed, outlive this, and stay where they are.
  Optimizer(const OptimizerSpec& spec, Context& context, std::vector<Parameter>& parameters,
            int threads);

  // One update from the gradients.
  void Step();
  // Forgets momenta and the step count.
  void Reset();

  // Plain row-major float32 tensors "<parameter>.momentum", or "<parameter>.m" and "<parameter>.v",
  // and for Adam "adam.step", an int64. Empty before the first step, and for SGD without momentum.
  Model State() const;
  // Takes what State returned; refuses other tensors.
  Status SetState(const Model& state);

 private:
  struct Slot {
    std::size_t parameter;
    std::string name;
    dnnl::memory values;
  };
  void AddSlots(const std::string& suffix);
  void StepSgd(Parameter& parameter, std::size_t index);
  void StepAdam(Parameter& parameter, std::size_t index);
  Layout StateLayout() const;

  const OptimizerSpec spec_;
  Context& context_;
  std::vector<Parameter>& parameters_;
  const int threads_;
  std::vector<Slot> slots_;  // all first ones in the order of parameters, then all second ones
  std::int64_t steps_ = 0;
};

// Copies a memory to a plain row-major tensor of the parameter's exchanged shape, and back.
Tensor ToTensor(Context& context, const dnnl::memory& values, const Shape& shape);
void FromTensor(Context& context, const Tensor& tensor, const dnnl::memory& values);

}  // namespace fx::onednn
