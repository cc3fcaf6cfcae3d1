// Reads plan.yaml, with its defaults files, cols.yaml and data.yaml, into checked structs.
#pragma once

#include <map>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "plan/plan.h"

namespace fx {

// Loads and checks a plan. Paths are taken as given; `defaults:` files are looked up relative to
// the folder that holds the plan's folder (the workspace). A `cols` path that does not exist means
// no one is authorised yet.
//
// The error lists every complaint at once, a line each: "plan/plan.yaml:14: assigner.settings...
// is 1.4, expected 0 to 1", with the nearest known name for an unknown key.
Result<Plan> LoadPlan(const Path& plan_file, const Path& cols_file);

// The same for whoever runs the aggregator: its cols.yaml is the whole list, whereas a site's is
// what it was when the workspace was exported. So this one refuses, too, what so few sites cannot
// do.
Result<Plan> LoadPlanToRun(const Path& plan_file, const Path& cols_file);

// Both for a text that is to become the contents of `cols_file`.
Result<Plan> LoadPlan(const Path& plan_file, const Path& cols_file, std::string_view cols);
Result<Plan> LoadPlanToRun(const Path& plan_file, const Path& cols_file, std::string_view cols);

// LoadPlan for a text that is, or is to become, the contents of `plan_file`.
Result<Plan> LoadPlanText(std::string_view text, const Path& plan_file, const Path& cols_file);

// plan/data.yaml: lines `name,path`, # for comments. Not YAML, in spite of its name.
Result<std::map<std::string, std::string>> LoadDataFile(const Path& path);

// plan/cols.yaml: `collaborators: [names]`; may be empty or null.
Result<std::vector<CollaboratorName>> LoadColsFile(const Path& path);

// Refuses a plan whose agg_addr or agg_port is still "auto". Such a plan is fine to create, certify
// and share; to start it, it must say where the aggregator is.
Status CheckResolved(const Plan& plan);

}  // namespace fx
