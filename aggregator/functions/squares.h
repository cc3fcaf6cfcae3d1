// Squared distances between the models of a round, summed block by block.
#pragma once

#include <cstddef>
#include <span>

#include "aggregator/functions/aggregation_function.h"

namespace fx::aggregator {

// How many sums a function needs for `updates` updates.
std::size_t SquaresFor(AggregationFunction::Needs needs, std::size_t updates);

// Where the distance between the updates i and j is, i < j: (0,1), (0,2), (1,2), (0,3), ...
constexpr std::size_t PairAt(std::size_t i, std::size_t j) {
  return j * (j - 1) / 2 + i;
}

// Adds the block's part to `sums`. Differences and sums are in doubles; their order depends on the
// block alone.
void AddSquares(AggregationFunction::Needs needs, const Block& block, std::span<double> sums);

}  // namespace fx::aggregator
