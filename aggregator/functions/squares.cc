#include "aggregator/functions/squares.h"

#include <array>

#include "core/base/error.h"

namespace fx::aggregator {
namespace {

using Needs = AggregationFunction::Needs;

// In eight interleaved sums, which a processor adds at once.
double SquaredDistance(std::span<const float> a, std::span<const float> b) {
  constexpr std::size_t kLanes = 8;
  std::array<double, kLanes> lanes{};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) {
      const double difference = static_cast<double>(a[i + k]) - static_cast<double>(b[i + k]);
      lanes[k] += difference * difference;
    }
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  for (; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += difference * difference;
  }
  return sum;
}

}  // namespace

std::size_t SquaresFor(Needs needs, std::size_t updates) {
  if (needs == Needs::kNothing) return 0;
  return needs == Needs::kNorms ? updates : updates * (updates - 1) / 2;
}

void AddSquares(Needs needs, const Block& block, std::span<double> sums) {
  const auto& updates = block.updates;
  FX_CHECK(sums.size() == SquaresFor(needs, updates.size()));
  if (needs == Needs::kNorms) {
    for (std::size_t k = 0; k < updates.size(); ++k) {
      sums[k] += SquaredDistance(updates[k], block.base);
    }
    return;
  }
  for (std::size_t j = 1; j < updates.size(); ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      sums[PairAt(i, j)] += SquaredDistance(updates[i], updates[j]);
    }
  }
}

}  // namespace fx::aggregator
