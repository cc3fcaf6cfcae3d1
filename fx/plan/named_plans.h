// Plans kept under a name, in OpenFL's layout: plan/plans/<name>/plan.yaml, with the name of the
// one in use in the .workspace file. All paths are relative to the workspace, the current folder.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

inline constexpr const char* kPlanFile = "plan/plan.yaml";
inline constexpr const char* kColsFile = "plan/cols.yaml";
inline constexpr const char* kPlansFolder = "plan/plans";
inline constexpr const char* kDefaultPlanName = "default";

// Where the plan of this name is kept. Refuses a name that is not made of letters, digits, '-', '_'
// and '.', or that starts with a dot.
Result<Path> NamedPlanFile(const std::string& name);

// The names of all that are kept, sorted.
Result<std::vector<std::string>> PlanNames();

// Refuses, listing the names there are, a name under which nothing is kept.
Result<std::string> ReadNamedPlan(const std::string& name);

// Which of them plan/plan.yaml was last saved as, or made from.
Result<std::string> CurrentPlanName();
Status SetCurrentPlanName(const std::string& name);

}  // namespace fx
