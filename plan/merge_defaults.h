// A plan's sections as OpenFL completes them before it hashes or uses them.
#pragma once

#include "core/base/file.h"
#include "plan/complaints.h"
#include "plan/yaml_value.h"

namespace fx {

// Every section gets `settings: {}` if it has none. A section's `defaults: FILE` is replaced by
// what the file holds: the file's settings, overridden one by one by the section's, then the file's
// other keys, overridden likewise. FILE is relative to `workspace` (OpenFL looks in its own
// installation). Sections that are no mappings are left as they are. Complains about files it
// cannot use.
YamlRef MergeDefaults(const YamlRef& plan, const Path& workspace, Complaints& complaints);

// Parses a plan and merges its defaults; all complaints are one error. Does not judge the sections.
Result<YamlRef> LoadMergedPlan(std::string_view text, const Path& plan_file);

// The folder that `defaults:` and all paths of a plan are relative to: the one above plan/.
Path WorkspaceOf(const Path& plan_file);

}  // namespace fx
