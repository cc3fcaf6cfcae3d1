// The average of changes a step, so that sites which take more steps do not pull the model to their
// own optimum (Wang et al. 2020, "Tackling the Objective Inconsistency Problem in Heterogeneous
// Federated Optimization", for gradient descent without momentum at the sites):
//
//   next = base + t_eff * sum_k p_k (x_k - base) / t_k      t_eff = sum_k p_k t_k
//
// with the site's share of the samples p_k and its number of steps t_k. Of equal numbers of steps
// it is WeightedAverage, bit for bit.
#include <algorithm>

#include "aggregator/functions/registry.h"
#include "aggregator/functions/scaled_changes.h"

namespace fx::aggregator {
namespace {

std::vector<double> FactorsOf(const Contributors& sites) {
  std::vector<double> factors(sites.size(), 1.0);
  const auto differs = [&](double steps) { return steps != sites.steps.front(); };
  if (std::ranges::none_of(sites.steps, differs)) return factors;
  double effective = 0;
  double total = 0;
  for (std::size_t k = 0; k < sites.size(); ++k) {
    effective += sites.shares[k] * sites.steps[k];
    total += sites.shares[k];
  }
  for (std::size_t k = 0; k < sites.size(); ++k) {
    factors[k] = effective / total / sites.steps[k];
  }
  return factors;
}

class FedNova : public AggregationFunction {
 public:
  explicit FedNova(const Contributors& sites)
      : average_(sites.shares), normalized_(sites.shares, FactorsOf(sites)) {}

  // Averages of the data have no steps.
  void Fold(const Block& block, std::span<float> out) const override {
    if (block.kind != Kind::kTrained) return average_.Fold(block, out);
    normalized_.Fold(block, out);
  }

 private:
  WeightedAverage average_;
  ScaledChanges normalized_;
};

std::unique_ptr<AggregationFunction> Make(const Settings&, const Contributors& contributors) {
  return std::make_unique<FedNova>(contributors);
}

}  // namespace

FunctionRow FedNovaRow() {
  return {
      .name = "FedNova",
      .alias = {},
      .settings = {},
      .make = Make,
      .needs_steps = true,
      .meaning =
          "the mean of the changes, each divided by the site's number of steps and multiplied by "
          "the mean number of steps (Wang et al. 2020); steps are the batches of all epochs"};
}

}  // namespace fx::aggregator
