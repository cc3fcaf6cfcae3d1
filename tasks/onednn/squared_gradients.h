// The mean of squared gradients over batches: TaskRunner::Fisher.
#pragma once

#include <vector>

#include "core/tensor/tensor.h"
#include "tasks/onednn/layer.h"

namespace fx::onednn {

class SquaredGradients {
 public:
  // `parameters` are placed, outlive this, and stay where they are.
  SquaredGradients(Context& context, const std::vector<Parameter>& parameters, int threads);

  // Those that are in the parameters now.
  void Add();

  // Of each trained parameter, plain row-major. At least one was added.
  Model Mean() const;

 private:
  Context& context_;
  const int threads_;
  std::vector<const Parameter*> trained_;
  std::vector<dnnl::memory> sums_;  // in the order of trained_
  float batches_ = 0;
};

}  // namespace fx::onednn
