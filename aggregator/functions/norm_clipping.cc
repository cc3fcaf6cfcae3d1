// The weighted average of changes no longer than a bound (Sun et al. 2019, "Can You Really Backdoor
// Federated Learning?", norm thresholding): x_k - base is scaled by min(1, bound / |x_k - base|),
// the Euclidean norm over the whole model.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "aggregator/functions/registry.h"
#include "aggregator/functions/scaled_changes.h"
#include "core/base/error.h"

namespace fx::aggregator {
namespace {

class NormClipping : public AggregationFunction {
 public:
  NormClipping(double bound, std::vector<double> shares)
      : bound_(bound), shares_(std::move(shares)), average_(shares_) {}

  Needs needs() const override { return Needs::kNorms; }
  void Learn(std::span<const double> squares) override {
    std::vector<double> factors;
    for (const double square : squares) {
      const double norm = std::sqrt(square);
      factors.push_back(norm > bound_ ? bound_ / norm : 1);
    }
    clipped_.emplace(shares_, factors);
  }

  void Fold(const Block& block, std::span<float> out) const override {
    if (block.kind == Kind::kOptimizerState) return average_.Fold(block, out);
    FX_CHECK(clipped_.has_value());
    clipped_->Fold(block, out);
  }

 private:
  double bound_;
  std::vector<double> shares_;
  WeightedAverage average_;
  std::optional<ScaledChanges> clipped_;
};

std::unique_ptr<AggregationFunction> Make(const Settings& settings,
                                          const Contributors& contributors) {
  return std::make_unique<NormClipping>(Get(settings, "max_norm"), contributors.shares);
}

}  // namespace

FunctionRow NormClippingRow() {
  return {.name = "NormClipping",
          .alias = {},
          .settings = {{.name = "max_norm",
                        .fallback = 10,
                        .low = 0,
                        .high = 1e30,
                        .range = Setting::Range::kAbove,
                        .meaning = "the longest a change may be"}},
          .make = Make,
          .meaning =
              "the weighted mean of changes, those shortened that are too long (Sun et al. 2019); "
              "the length is the Euclidean norm of the change to the whole model"};
}

}  // namespace fx::aggregator
