// The weighted average of updates, with OpenFL's numerics: the same uploads give the same next
// model in both systems, bit for bit.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "aggregator/functions/aggregation_function.h"

namespace fx::aggregator {

// For each element, in doubles and without contraction:
//
//   mean = (w_0 * x_0 + w_1 * x_1 + ...) / (w_0 + w_1 + ...)      numpy.average(x, weights=w,
//   axis=0) next = base + float32(mean - base)                            in float32
//
// Products are added from left to right, in the canonical order of the contributions. Two sums are
// pairwise, as numpy's are there: that of the weights, and that of a tensor with a single element.
class WeightedAverage : public AggregationFunction {
 public:
  // One weight a contribution; at least one, their sum is positive.
  explicit WeightedAverage(std::vector<double> weights);

  void Fold(const Block& block, std::span<float> out) const override;

  // The means alone, of the elements from `begin` on: as many as `means` has.
  void Means(const Block& block, std::size_t begin, std::span<double> means) const;

 private:
  double MeanOfScalar(const Block& block) const;

  std::vector<double> weights_;
  double total_;
};

// numpy's sum of a contiguous array (pairwise_sum in numpy/core/src/umath/loops_utils.h): from left
// to right below 8 terms, in eight interleaved sums up to 128, by halves beyond.
double PairwiseSum(std::span<const double> terms);

}  // namespace fx::aggregator
