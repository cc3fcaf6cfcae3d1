// A frozen plan: the canonical text of a plan, read-only, under the first digits of its digest.
#pragma once

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

// Writes plan_<first 8 digits of the digest>.yaml beside `plan_file`, mode 0400; its SHA-384 is the
// plan's digest. Returns its path. Refuses a plan with complaints, one whose address or port is
// still "auto", and one whose initial model is missing: such a plan cannot be run by anyone.
Result<Path> FreezePlan(const Path& plan_file, const Path& cols_file);

// The same, but content with a frozen plan that is there already: a site has it from the
// aggregator, without the initial model.
Result<Path> FindOrFreezePlan(const Path& plan_file, const Path& cols_file);

}  // namespace fx
