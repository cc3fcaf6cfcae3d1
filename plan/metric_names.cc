#include "plan/metric_names.h"

#include <cctype>

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

bool IsLoss(std::string_view metric) {
  std::string lower;
  for (const char c : metric) {
    lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  }
  return lower.find("loss") != std::string::npos;
}

bool LessIsBetter(std::string_view metric) {
  return IsLoss(metric) || metric == "mae";
}

}  // namespace fx
