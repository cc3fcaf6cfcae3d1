// The model a federation starts from.
#pragma once

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/tensor/tensor.h"
#include "plan/plan.h"

namespace fx::aggregator {

// Reads the plan's init_state_path. Refuses, with the hint to run `fx plan initialize`, a file that
// does not exist, is damaged, is not of the plan's network, or has a value that is not finite.
Result<Model> LoadInitialModel(const Path& workspace, const Plan& plan);

}  // namespace fx::aggregator
