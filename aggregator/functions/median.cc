// The middle value of every element. Half of the sites may send anything, and each element stays
// among what the others sent (Yin et al. 2018, "Byzantine-Robust Distributed Learning", option I).
#include "aggregator/functions/registry.h"
#include "aggregator/functions/sorted_columns.h"

namespace fx::aggregator {
namespace {

// numpy.median, as in OpenFL: of an even number, the mean of the two in the middle. Every site
// counts once, whatever number of samples it claims.
float Middle(std::span<const float> sorted) {
  const std::size_t half = sorted.size() / 2;
  if (sorted.size() % 2 == 1) return sorted[half];
  const double sum = static_cast<double>(sorted[half - 1]) + static_cast<double>(sorted[half]);
  return static_cast<float>(sum / 2);
}

class Median : public AggregationFunction {
 public:
  void Fold(const Block& block, std::span<float> out) const override {
    FoldSorted(block, out, Middle);
  }
};

std::unique_ptr<AggregationFunction> Make(const Settings&, const Contributors&) {
  return std::make_unique<Median>();
}

}  // namespace

FunctionRow MedianRow() {
  return {.name = "Median",
          .alias = {},
          .settings = {},
          .make = Make,
          .meaning =
              "of each number, the middle one (Yin et al. 2018); of two in the middle, their mean"};
}

}  // namespace fx::aggregator
