// Which files belong to a workspace.
#pragma once

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Refuses a path that leads out of `folder`, through "..", from the root or by a link. Paths are
// compared part by part: study2/plan.yaml is not in study. The file need not exist.
Status CheckIsInside(const Path& path, const Path& folder);

}  // namespace fx
