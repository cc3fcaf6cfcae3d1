// The mean of every element without its largest and smallest values (Yin et al. 2018,
// "Byzantine-Robust Distributed Learning", option II).
#include <cmath>

#include "aggregator/functions/registry.h"
#include "aggregator/functions/sorted_columns.h"

namespace fx::aggregator {
namespace {

// Every site counts once. The sum goes from the smallest value to the largest, in doubles.
class TrimmedMean : public AggregationFunction {
 public:
  explicit TrimmedMean(std::size_t cut) : cut_(cut) {}

  void Fold(const Block& block, std::span<float> out) const override {
    FoldSorted(block, out, [this](std::span<const float> sorted) {
      const auto kept = sorted.subspan(cut_, sorted.size() - 2 * cut_);
      double sum = 0;
      for (const float value : kept) sum += static_cast<double>(value);
      return static_cast<float>(sum / static_cast<double>(kept.size()));
    });
  }

 private:
  std::size_t cut_;  // values at each end
};

// 0.29 of 100 is 29, though not in doubles.
std::size_t CutOf(double share, std::size_t sites) {
  constexpr double kRounding = 1e-9;
  return static_cast<std::size_t>(std::floor(share * static_cast<double>(sites) + kRounding));
}

std::unique_ptr<AggregationFunction> Make(const Settings& settings,
                                          const Contributors& contributors) {
  return std::make_unique<TrimmedMean>(CutOf(Get(settings, "trim"), contributors.size()));
}

}  // namespace

FunctionRow TrimmedMeanRow() {
  return {
      .name = "TrimmedMean",
      .alias = {},
      .settings = {{.name = "trim",
                    .fallback = 0.1,
                    .low = 0,
                    .high = 0.5,
                    .range = Setting::Range::kBelow,
                    .meaning =
                        "the share of the sites, rounded down, that is left out at either end"}},
      .make = Make,
      .meaning = "of each number, the mean without the largest and the smallest (Yin et al. 2018)"};
}

}  // namespace fx::aggregator
