// The judge of the optimizers: their formulas in double, one element at a time, on all parameters.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "plan/network_spec.h"
#include "tests/numeric/reference.h"

namespace fx::test {

// At a constant learning rate.
class ReferenceOptimizer {
 public:
  explicit ReferenceOptimizer(OptimizerSpec spec) : spec_(spec) {}

  void Step(std::vector<Values>& weights, std::vector<Values> gradients) {
    if (t_++ == 0) {
      anchor_ = weights;
      for (const Values& w : weights) a_.emplace_back(w.size());
      b_ = a_;
    }
    Prepare(weights, gradients);
    for (std::size_t p = 0; p < weights.size(); ++p) {
      for (std::size_t i = 0; i < weights[p].size(); ++i) {
        double& w = weights[p][i];
        const double decay = spec_.weight_decay * w;
        if (spec_.type == OptimizerType::kAdamW) {
          w -= spec_.learning_rate * decay;
          w -= Change(a_[p][i], b_[p][i], gradients[p][i]);
        } else {
          w -= Change(a_[p][i], b_[p][i], gradients[p][i] + decay);
        }
      }
    }
  }

 private:
  void Prepare(const std::vector<Values>& weights, std::vector<Values>& gradients) const {
    double squares = 0;
    for (std::size_t p = 0; p < weights.size(); ++p) {
      for (std::size_t i = 0; i < weights[p].size(); ++i) {
        double& g = gradients[p][i];
        g += spec_.proximal * (weights[p][i] - anchor_[p][i]);
        if (spec_.clip_value > 0) g = std::clamp(g, -spec_.clip_value, spec_.clip_value);
        squares += g * g;
      }
    }
    if (spec_.clip_norm == 0 || std::sqrt(squares) < spec_.clip_norm) return;
    for (Values& gradient : gradients) {
      for (double& g : gradient) g *= spec_.clip_norm / std::sqrt(squares);
    }
  }

  double Change(double& a, double& b, double g) const {
    switch (spec_.type) {
      case OptimizerType::kSgd:
        a = spec_.momentum * a + g;
        return spec_.learning_rate * (spec_.nesterov ? g + spec_.momentum * a : a);
      case OptimizerType::kAdaGrad:
        a += g * g;
        return spec_.learning_rate * g / (std::sqrt(a) + spec_.epsilon);
      case OptimizerType::kRmsProp:
        a = spec_.decay * a + (1 - spec_.decay) * g * g;
        b = spec_.momentum * b + g / (std::sqrt(a) + spec_.epsilon);
        return spec_.learning_rate * b;
      default:
        a = spec_.beta1 * a + (1 - spec_.beta1) * g;
        b = spec_.beta2 * b + (1 - spec_.beta2) * g * g;
        return spec_.learning_rate * a / (1 - std::pow(spec_.beta1, t_)) /
               (std::sqrt(b / (1 - std::pow(spec_.beta2, t_))) + spec_.epsilon);
    }
  }

  const OptimizerSpec spec_;
  std::vector<Values> anchor_, a_, b_;
  int t_ = 0;
};

}  // namespace fx::test
