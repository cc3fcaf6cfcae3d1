#include "tasks/onednn/squared_gradients.h"

#include <utility>

#include "tasks/onednn/optimizer.h"
#include "tasks/onednn/update_rules.h"

namespace fx::onednn {

SquaredGradients::SquaredGradients(Context& context, const std::vector<Parameter>& parameters,
                                   int threads)
    : context_(context), threads_(threads) {
  for (const Parameter& parameter : parameters) {
    if (!parameter.trained) continue;
    trained_.push_back(&parameter);
    sums_.push_back(ZeroMemory(context_, parameter.gradient.get_desc()));
  }
}

void SquaredGradients::Add() {
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    AddSquares(Floats(sums_[i]), Floats(trained_[i]->gradient), threads_);
  }
  ++batches_;
}

Model SquaredGradients::Mean() const {
  FX_CHECK(batches_ > 0);
  Model mean;
  for (std::size_t i = 0; i < sums_.size(); ++i) {
    Tensor tensor = ToTensor(context_, sums_[i], trained_[i]->shape);
    for (float& value : tensor.floats()) value /= batches_;
    mean.push_back({.name = trained_[i]->name, .tensor = std::move(tensor)});
  }
  return mean;
}

}  // namespace fx::onednn
