// The average of changes to the model, each made smaller or larger first.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "aggregator/functions/weighted_average.h"

namespace fx::aggregator {

//   next = base + sum_k w_k f_k (x_k - base) / sum_k w_k
//
// which is a weighted average of the updates and the base, whose weight is what is missing: the sum
// of w_k (1 - f_k). With all factors 1, WeightedAverage bit for bit.
class ScaledChanges {
 public:
  ScaledChanges(std::span<const double> weights, std::span<const double> factors);

  void Fold(const Block& block, std::span<float> out) const;

 private:
  bool plain_;  // all factors are 1
  WeightedAverage average_;
};

}  // namespace fx::aggregator
