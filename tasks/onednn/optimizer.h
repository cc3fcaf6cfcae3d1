// Moves the parameters by their gradients: update_rules.h on what a network has. Elementwise, so
// the layout of a parameter does not matter, and padding stays zero.
//
// A step goes: the proximal term and the task's penalty join the gradients, single values are
// clipped, then the norm of all together, and a correction is added; then the optimizer's formula.
// Neither the correction nor weight decay is clipped: a correction stands for gradients that were.
// Parameters that are not trained are left alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "plan/network_spec.h"
#include "tasks/onednn/layer.h"
#include "tasks/task_runner.h"

namespace fx::onednn {

class Optimizer {
 public:
  // `parameters` are placed, outlive this, and stay where they are.
  Optimizer(const OptimizerSpec& spec, Context& context, std::vector<Parameter>& parameters,
            int threads);

  // To be called before the first step of a task: sets the round's learning rate, and takes the
  // parameters as they are for FedProx's anchor, and the task's correction and penalty.
  void BeginTask(const TaskContext& task);
  // One update from the gradients, which may be changed.
  void Step();
  // Forgets momenta and the step count.
  void Reset();

  // As OptimizerStateLayout (plan/model_layout.h) says, plain row-major. Empty before the first
  // step.
  Model State() const;
  // Takes what State returned, or an average of such; refuses other tensors, squares below 0 and a
  // count of steps that is none. After an error nothing is remembered.
  Status SetState(const Model& state);

 private:
  float* SlotOf(std::size_t kind, std::size_t trained) const;
  std::vector<dnnl::memory> Take(const Model* values) const;
  void PrepareGradients();
  bool CountsSteps() const;

  const OptimizerSpec spec_;
  Context& context_;
  std::vector<Parameter>& parameters_;
  const int threads_;
  const Layout state_layout_;
  std::vector<std::size_t> trained_;  // of parameters_
  std::vector<dnnl::memory>
      slots_;  // all first ones in the order of trained_, then all second ones
  std::vector<dnnl::memory> anchor_;      // in the order of trained_; empty without a proximal term
  std::vector<dnnl::memory> correction_;  // likewise; empty without a correction
  std::vector<dnnl::memory> slope_, offset_;  // likewise; empty without a penalty
  std::vector<std::span<float>> gradients_;   // likewise
  double rate_;
  // As exact as what State keeps of it, or a restart would change results. Averages are not whole;
  // beyond 2^24 it stands still, where the factors that it makes have long been 1.
  float steps_ = 0;
};

// Copies a memory to a plain row-major tensor of the parameter's exchanged shape, and back.
Tensor ToTensor(Context& context, const dnnl::memory& values, const Shape& shape);
void FromTensor(Context& context, const Tensor& tensor, const dnnl::memory& values);

}  // namespace fx::onednn
