// How the updates of a round become the next model, one block of a tensor at a time.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fx::aggregator {

// What the elements of a tensor are.
enum class Kind {
  kTrained,         // what an optimizer moves
  kStatistics,      // running means and variances: averages of the data, which have no gradient
  kOptimizerState,  // what a site's optimizer keeps between its steps; the base is 0
  kSum,             // sums over all sites, which an update holds as they are if only its part moves
};

// The same elements of the current model and of every update. All spans have one size.
struct Block {
  std::span<const float> base;
  std::span<const std::span<const float>> updates;  // one a contribution, in canonical order
  bool whole_scalar = false;  // the tensor has one element in all: numpy sums those differently
  Kind kind = Kind::kTrained;
  // What the function wrote here in the round before, one span for each of its Memories().
  // Replaced in place.
  std::span<const std::span<float>> memories = {};
};

// One round's: made when its updates are known. Thread-safe once it has learned; blocks may be
// folded in any order and cut anywhere without changing a bit.
class AggregationFunction {
 public:
  virtual ~AggregationFunction() = default;

  // Sums over whole updates that Fold depends on. They cost a reading of all updates.
  enum class Needs {
    kNothing,
    kNorms,      // |x_k - base|^2 for each update x_k
    kDistances,  // |x_i - x_j|^2 for each pair; functions/squares.h says in which order
  };
  virtual Needs needs() const { return Needs::kNothing; }
  // Called once, before any Fold, with those sums: over all tensors but kOptimizerState.
  virtual void Learn(std::span<const double> /*squares*/) {}

  // What it keeps from round to round: for each, a number for every element of the model. These are
  // the numbers of the first round.
  virtual std::vector<float> Memories() const { return {}; }

  // Writes the next model's elements to `out`, which has the block's size.
  virtual void Fold(const Block& block, std::span<float> out) const = 0;
};

}  // namespace fx::aggregator
