#include "plan/metric_names.h"

namespace fx {

const std::vector<std::string>& MetricNames() {
  static const std::vector<std::string> names = {"loss", "accuracy",  "acc",    "dice",  "iou",
                                                 "f1",   "precision", "recall", "auroc", "mae"};
  return names;
}

std::vector<std::string> MetricNamesFor(const NetworkSpec& network) {
  if (network.loss.type == LossType::kMse) return {"loss", "mae"};
  std::vector<std::string> names = MetricNames();
  std::erase(names, "mae");
  if (NumElements(network.output()) != network.num_classes()) std::erase(names, "auroc");
  return names;
}

}  // namespace fx
