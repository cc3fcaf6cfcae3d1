// What a plan demands of callers and of uploads.
#pragma once

#include "aggregator/server/upload_judge.h"
#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "plan/plan.h"
#include "rpc/convert.h"

namespace fx::aggregator {

CallerRules CallersOf(const Plan& plan);

// `layout` is that of the federation's models. Refuses a plan whose own models are larger than it
// lets an update be.
Result<UploadRules> UploadsOf(const Plan& plan, const Layout& layout);

}  // namespace fx::aggregator
