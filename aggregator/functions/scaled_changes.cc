#include "aggregator/functions/scaled_changes.h"

#include <algorithm>

#include "core/base/error.h"

namespace fx::aggregator {
namespace {

bool AllOnes(std::span<const double> factors) {
  return std::ranges::all_of(factors, [](double f) { return f == 1; });
}

std::vector<double> WithTheBase(std::span<const double> weights, std::span<const double> factors) {
  FX_CHECK(weights.size() == factors.size());
  std::vector<double> scaled;
  double missing = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    scaled.push_back(weights[k] * factors[k]);
    missing += weights[k] * (1 - factors[k]);
  }
  if (!AllOnes(factors)) scaled.push_back(missing);
  return scaled;
}

}  // namespace

ScaledChanges::ScaledChanges(std::span<const double> weights, std::span<const double> factors)
    : plain_(AllOnes(factors)), average_(WithTheBase(weights, factors)) {}

void ScaledChanges::Fold(const Block& block, std::span<float> out) const {
  if (plain_) return average_.Fold(block, out);
  std::vector<std::span<const float>> with_base(block.updates.begin(), block.updates.end());
  with_base.push_back(block.base);
  Block more = block;
  more.updates = with_base;
  average_.Fold(more, out);
}

}  // namespace fx::aggregator
