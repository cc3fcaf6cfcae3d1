// A task runner that is made when it is first needed, so that a collaborator that waits holds
// neither its data nor its network.
#pragma once

#include <functional>
#include <memory>

#include "core/base/error.h"
#include "tasks/task_runner.h"

namespace fx {

// `make` is called once, by the first of SetParameters, SetOptimizerState, Train and Validate; its
// error is theirs, and the next of them tries again. Before that there are no parameters to get and
// no optimizer state.
std::unique_ptr<TaskRunner> MakeLazyRunner(
    Layout layout, std::function<Result<std::unique_ptr<TaskRunner>>()> make);

}  // namespace fx
