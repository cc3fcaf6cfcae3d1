// The runner a site trains with, as the whole plan has it.
#pragma once

#include <memory>

#include "core/base/error.h"
#include "plan/plan.h"
#include "tasks/data_loader.h"
#include "tasks/task_runner.h"

namespace fx {

// The native runner of the plan's network, with the site's part of what the aggregation function or
// `opt_treatment` exchanges beside the weights, if anything: its layout is ModelLayout(plan).
// `data` must outlive it.
Result<std::unique_ptr<TaskRunner>> MakeSiteRunner(const Plan& plan, const DataLoader& data);

}  // namespace fx
