// The .workspace file, which marks a folder as a workspace and says which template it came from.
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

inline constexpr const char* kWorkspaceMarker = ".workspace";

// What the file holds for a template. OpenFL's key current_plan_name comes first.
std::string WorkspaceMarkerText(const std::string& template_name);

// The template named in `folder`/.workspace; "" if the file names none, nothing if there is no
// file.
Result<std::optional<std::string>> WorkspaceTemplateOf(const Path& folder);

// Refuses, with kFailedPrecondition, a folder that is not a workspace.
Status RequireWorkspace(const Path& folder);

}  // namespace fx
