// The average change of a block, in pieces that the first-level cache holds.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "aggregator/functions/weighted_average.h"

namespace fx::aggregator {

// Calls `use(begin, changes)` for each piece: in doubles, the average of the updates minus the
// base, of the elements from `begin` on.
template <typename Use>
void ForEachChange(const WeightedAverage& average, const Block& block, const Use& use) {
  constexpr std::size_t kTile = 1024;
  std::array<double, kTile> tile;
  for (std::size_t begin = 0; begin < block.base.size(); begin += kTile) {
    const auto changes = std::span(tile).first(std::min(kTile, block.base.size() - begin));
    average.Means(block, begin, changes);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      changes[i] -= static_cast<double>(block.base[begin + i]);
    }
    use(begin, std::span<const double>(changes));
  }
}

}  // namespace fx::aggregator
