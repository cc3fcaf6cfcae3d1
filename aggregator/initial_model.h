// The model a federation starts from.
#pragma once

#include "aggregator/store/model_store.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "plan/plan.h"

namespace fx::aggregator {

// Stores what the plan's init_state_path holds in `models`; neither copy is ever in memory as a
// whole. Refuses, with the hint to run `fx plan initialize`, a file that does not exist, is
// damaged, is not of the plan's network (if that is not Python's, and unknown), or has a value that
// is not finite. Sums over sites begin at 0 whatever the file has.
Result<ModelId> AddInitialModel(const Path& workspace, const Plan& plan, const ModelStore& models);

}  // namespace fx::aggregator
