// How the updates of a round become the next model, one block of a tensor at a time.
#pragma once

#include <span>

namespace fx::aggregator {

// The same elements of the current model and of every update. All spans have one size.
struct Block {
  std::span<const float> base;
  std::span<const std::span<const float>> updates;  // one a contribution, in canonical order
  bool whole_scalar = false;  // the tensor has one element in all: numpy sums those differently
};

// Thread-safe; blocks may be folded in any order and cut anywhere without changing a bit.
class AggregationFunction {
 public:
  virtual ~AggregationFunction() = default;

  // Writes the next model's elements to `out`, which has the block's size.
  virtual void Fold(const Block& block, std::span<float> out) const = 0;
};

}  // namespace fx::aggregator
