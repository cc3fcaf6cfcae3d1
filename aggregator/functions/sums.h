// Sums over all sites, whether or not they take part in a round (docs/adr/0018).
#pragma once

#include <memory>
#include <span>

#include "aggregator/functions/aggregation_function.h"

namespace fx::aggregator {

// Of a block of Kind::kSum: an update holds the sum S as it is if only its site's part moves, so
//
//   next = S + sum_k (x_k - S)
//
// in double, and of one update what it holds, exactly.
void FoldSums(const Block& block, std::span<float> out);

// `function`, but sums become 0: they start anew.
std::unique_ptr<AggregationFunction> ForgettingSums(std::unique_ptr<AggregationFunction> function);

}  // namespace fx::aggregator
