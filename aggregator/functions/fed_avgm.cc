// Gradient descent with momentum at the aggregator, the average change standing for the gradient
// (Hsu et al. 2019, "Measuring the Effects of Non-Identical Data Distribution for Federated Visual
// Classification", FedAvgM):
//
//   m    = momentum * m + (mean of the updates - base)
//   next = base + learning_rate * m
//
// With learning_rate 1 and momentum 0 that is WeightedAverage, bit for bit.
#include <utility>

#include "aggregator/functions/changes.h"
#include "aggregator/functions/registry.h"
#include "aggregator/functions/weighted_average.h"

namespace fx::aggregator {
namespace {

class FedAvgM : public AggregationFunction {
 public:
  FedAvgM(const Settings& settings, const std::vector<double>& shares)
      : learning_rate_(Get(settings, "learning_rate")),
        momentum_(Get(settings, "momentum")),
        average_(shares) {}

  std::vector<float> Memories() const override { return {0.0F}; }

  void Fold(const Block& block, std::span<float> out) const override {
    if (block.kind != Kind::kTrained) return average_.Fold(block, out);
    const std::span<float> velocity = block.memories[0];
    ForEachChange(average_, block, [&](std::size_t begin, std::span<const double> changes) {
      for (std::size_t i = 0; i < changes.size(); ++i) {
        const double m = momentum_ * static_cast<double>(velocity[begin + i]) + changes[i];
        velocity[begin + i] = static_cast<float>(m);
        out[begin + i] = block.base[begin + i] + static_cast<float>(learning_rate_ * m);
      }
    });
  }

 private:
  double learning_rate_, momentum_;
  WeightedAverage average_;
};

std::unique_ptr<AggregationFunction> Make(const Settings& settings,
                                          const Contributors& contributors) {
  return std::make_unique<FedAvgM>(settings, contributors.shares);
}

}  // namespace

FunctionRow FedAvgMRow() {
  return {.name = "FedAvgM",
          .alias = {},
          .settings = {{.name = "learning_rate",
                        .fallback = 1,
                        .low = 0,
                        .high = 1000,
                        .range = Setting::Range::kAbove,
                        .meaning = "size of a step"},
                       {.name = "momentum",
                        .fallback = 0.9,
                        .low = 0,
                        .high = 1,
                        .range = Setting::Range::kBelow,
                        .meaning = "memory of the changes of rounds before"}},
          .make = Make,
          .meaning =
              "m = momentum m + D, and a step of learning_rate m (Hsu et al. 2019); D is the "
              "weighted mean minus the current model"};
}

}  // namespace fx::aggregator
