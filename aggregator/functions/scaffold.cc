// SCAFFOLD, option II (Karimireddy et al. 2020, "SCAFFOLD: Stochastic Controlled Averaging for
// Federated Learning", algorithm 1): each site adds to its gradients what its own mean gradient,
// the control variate c_k, differs from that of all, c. tasks/control_variates.h is the sites'
// part.
//
// Trained tensors go on by the mean of the changes, weighted by samples:
//
//   next = base + global_learning_rate * sum_k p_k (x_k - base)
//
// Controls are sums over all sites that have ever contributed: C = sum_k n_k c_k and n = sum_k n_k,
// so that c = C / n. An update holds the sum as it is if only its site's part moves, u_k = C + the
// change of n_k c_k. So, over the updates of a round,
//
//   C+ = C + sum_k (u_k - C)
//
// With equal samples and all sites in each round, c is the paper's. Where nothing moves any more,
// c_k is the gradient of f_k and c is 0: the optimum of sum_k n_k f_k, the plan's objective,
// whoever takes part in a round, however many steps each site takes, and whatever the p_k. (A mean
// over the sites of a round would not do: a part that comes with one weight and goes with another
// leaves a remainder.) The last part of a site that has left for good would stay in C, and the
// others would end where their gradients make up for it: then all start anew, with C = 0 and c_k =
// 0.
//
// Of one site that trains alone c - c_k is 0, and with rate 1 this is WeightedAverage, bit for bit.
#include "aggregator/functions/changes.h"
#include "aggregator/functions/registry.h"
#include "aggregator/functions/sums.h"
#include "aggregator/functions/weighted_average.h"

namespace fx::aggregator {
namespace {

class Scaffold : public AggregationFunction {
 public:
  Scaffold(double rate, const std::vector<double>& shares) : rate_(rate), average_(shares) {}

  void Fold(const Block& block, std::span<float> out) const override {
    if (block.kind == Kind::kSum) return FoldSums(block, out);
    if (block.kind != Kind::kTrained || rate_ == 1) return average_.Fold(block, out);
    ForEachChange(average_, block, [&](std::size_t begin, std::span<const double> changes) {
      for (std::size_t i = 0; i < changes.size(); ++i) {
        out[begin + i] = block.base[begin + i] + static_cast<float>(rate_ * changes[i]);
      }
    });
  }

 private:
  double rate_;
  WeightedAverage average_;
};

std::unique_ptr<AggregationFunction> Make(const Settings& settings,
                                          const Contributors& contributors) {
  return std::make_unique<Scaffold>(Get(settings, "global_learning_rate"), contributors.shares);
}

}  // namespace

FunctionRow ScaffoldRow() {
  return {.name = "SCAFFOLD",
          .alias = {},
          .settings = {{.name = "global_learning_rate",
                        .fallback = 1,
                        .low = 0,
                        .high = 1000,
                        .range = Setting::Range::kAbove,
                        .meaning = "size of a step"}},
          .make = Make,
          .control_variates = true,
          .meaning =
              "a step of global_learning_rate D, after training with gradients that control "
              "variates correct (Karimireddy et al. 2020, option II); D is the weighted mean minus "
              "the current model"};
}

}  // namespace fx::aggregator
