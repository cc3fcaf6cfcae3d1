#include "plan/model_layout.h"

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/state_names.h"

namespace fx {
namespace {

// What the formula keeps of each parameter, in the order it names them.
std::vector<std::string> KeptBy(const OptimizerSpec& optimizer) {
  switch (optimizer.type) {
    case OptimizerType::kSgd:
      if (optimizer.momentum == 0) return {};
      return {"momentum"};
    case OptimizerType::kAdam:
    case OptimizerType::kAdamW:
      return {"m", "v"};
    case OptimizerType::kAdaGrad:
      return {"sum"};
    case OptimizerType::kRmsProp:
      if (optimizer.momentum == 0) return {"v"};
      return {"v", "momentum"};
  }
  FX_CHECK(false);
}

}  // namespace

Layout OptimizerStateLayout(const OptimizerSpec& optimizer, const Layout& parameters) {
  Layout layout;
  for (const std::string& kept : KeptBy(optimizer)) {
    for (const TensorSpec& parameter : parameters) {
      if (!IsTrained(parameter.name)) continue;
      layout.push_back({.name = parameter.name + "." + kept, .shape = parameter.shape});
    }
  }
  const bool counts_steps =
      optimizer.type == OptimizerType::kAdam || optimizer.type == OptimizerType::kAdamW;
  if (counts_steps && !layout.empty()) layout.push_back({.name = "adam.step", .shape = {}});
  return layout;
}

Layout ModelLayout(const Plan& plan) {
  Layout layout = ParameterLayout(plan.task_runner);
  if (plan.collaborator.opt_treatment != OptTreatment::kContinueGlobal) return layout;
  for (TensorSpec& kept : OptimizerStateLayout(plan.task_runner.optimizer, layout)) {
    kept.name.insert(0, kOptimizerStatePrefix);
    layout.push_back(std::move(kept));
  }
  return layout;
}

}  // namespace fx
