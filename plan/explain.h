// Every value of a plan and where it comes from: `fx plan print`.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "plan/yaml_value.h"

namespace fx {

enum class Origin {
  kPlan,      // it stands in the plan
  kDefaults,  // in a file a section names as its `defaults`
  kBuiltIn,   // nobody says it; fx assumes it
};

// One value that is no mapping, and no list unless that is empty.
struct ExplainedValue {
  std::string key;  // "task_runner.settings.layers[0].filters"
  YamlScalar value;
  std::string text;  // as YAML, on one line
  Origin origin = Origin::kPlan;
  std::string place;  // "plan/plan.yaml:14"; empty if built in
};

// The values of a plan that LoadPlan accepts, those of a section together: first what is written,
// in the order of the file, then what is assumed. Built-in values that depend on others, such as
// the name of a layer, are not among them.
Result<std::vector<ExplainedValue>> ExplainPlan(const Path& plan_file, const Path& cols_file);

}  // namespace fx
