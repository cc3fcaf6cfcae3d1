#include "plan/model_layout.h"

#include <algorithm>
#include <iterator>
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

// By a task that is in a group.
bool IsUsed(const Plan& plan, bool AggregationSpec::*feature) {
  return std::ranges::any_of(plan.task_groups, [&](const TaskGroup& group) {
    return std::ranges::any_of(group.tasks, [&](const TaskName& name) {
      const auto task = plan.tasks.find(name);
      return task != plan.tasks.end() && task->second.aggregation_type.*feature;
    });
  });
}

}  // namespace

bool UsesControlVariates(const Plan& plan) {
  return IsUsed(plan, &AggregationSpec::control_variates);
}
bool UsesCurvature(const Plan& plan) {
  return IsUsed(plan, &AggregationSpec::curvature);
}
bool HasSums(const Plan& plan) {
  return UsesControlVariates(plan) || UsesCurvature(plan);
}

Layout ControlLayout(const Layout& parameters) {
  const std::string prefix(kControlPrefix);
  Layout layout;
  for (const TensorSpec& parameter : parameters) {
    if (!IsTrained(parameter.name)) continue;
    layout.push_back({.name = prefix + parameter.name, .shape = parameter.shape});
  }
  if (!layout.empty()) layout.push_back({.name = prefix + "samples", .shape = {}});
  return layout;
}

Layout CurvatureLayout(const Layout& parameters) {
  Layout layout;
  for (const char* const sum : {"_u", "_v"}) {
    for (const TensorSpec& parameter : parameters) {
      if (!IsTrained(parameter.name)) continue;
      layout.push_back(
          {.name = std::string(kCurvaturePrefix) + parameter.name + sum, .shape = parameter.shape});
    }
  }
  return layout;
}

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
  if (HasSums(plan)) {
    std::ranges::move(UsesCurvature(plan) ? CurvatureLayout(layout) : ControlLayout(layout),
                      std::back_inserter(layout));
    return layout;
  }
  if (plan.collaborator.opt_treatment != OptTreatment::kContinueGlobal) return layout;
  for (TensorSpec& kept : OptimizerStateLayout(plan.task_runner.optimizer, layout)) {
    kept.name.insert(0, kOptimizerStatePrefix);
    layout.push_back(std::move(kept));
  }
  return layout;
}

}  // namespace fx
