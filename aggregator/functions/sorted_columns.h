// The values that all updates have for an element, in order of size.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "aggregator/functions/aggregation_function.h"

namespace fx::aggregator {

// Calls `choose(sorted)`, a float from the sorted values, for every element of the block.
template <typename Choose>
void FoldSorted(const Block& block, std::span<float> out, const Choose& choose) {
  std::vector<float> column(block.updates.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    for (std::size_t k = 0; k < column.size(); ++k) column[k] = block.updates[k][i];
    std::ranges::sort(column);
    out[i] = choose(std::span<const float>(column));
  }
}

}  // namespace fx::aggregator
