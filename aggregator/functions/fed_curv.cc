// FedCurv (Shoham et al. 2019, "Overcoming Forgetting in Federated Learning on Non-IID Data",
// section 3): while a site trains, it is held near where each other site ended, as firmly as that
// site's loss is curved there. tasks/curvature.h is the sites' part.
//
// Trained tensors are averaged, as in FedAvg. The sites' curvatures u_k, and u_k times where they
// ended, v_k, are added up: U = sum_k u_k and V = sum_k v_k, over all sites that have ever
// contributed, with what each sent last. With all sites in each round that is the sum over a
// round, and the paper's.
#include "aggregator/functions/registry.h"
#include "aggregator/functions/sums.h"
#include "aggregator/functions/weighted_average.h"

namespace fx::aggregator {
namespace {

class FedCurv : public AggregationFunction {
 public:
  explicit FedCurv(const std::vector<double>& shares) : average_(shares) {}

  void Fold(const Block& block, std::span<float> out) const override {
    if (block.kind == Kind::kSum) return FoldSums(block, out);
    average_.Fold(block, out);
  }

 private:
  WeightedAverage average_;
};

std::unique_ptr<AggregationFunction> Make(const Settings&, const Contributors& contributors) {
  return std::make_unique<FedCurv>(contributors.shares);
}

}  // namespace

FunctionRow FedCurvRow() {
  return {
      .name = "FedCurv",
      .alias = "FedCurvWeightedAverage",
      .settings = {{.name = "lambda",
                    .fallback = 1,
                    .low = 0,
                    .high = 1e30,
                    .meaning = "how firmly the sites hold each other; 0: not at all"}},
      .make = Make,
      .curvature = true,
      .meaning =
          "the weighted mean, after training with lambda sum_j (w - w_j)^2 F_j added to "
          "the loss, over all other sites j, with w_j where j ended and F_j the curvature of its "
          "loss there (Shoham et al. 2019)"};
}

}  // namespace fx::aggregator
