// opt_treatment CONTINUE_GLOBAL: the optimizer's state as a part of the model, so that it is sent,
// averaged and handed out with the weights.
#pragma once

#include <memory>

#include "core/tensor/tensor.h"
#include "plan/plan.h"
#include "tasks/task_runner.h"

namespace fx {

// `runner`, whose parameters are those of ModelLayout(plan): every model that is set brings the
// optimizer's state, and every model that is got has it. There is no other state, and nothing to
// reset. `plan` must say CONTINUE_GLOBAL, and is needed no longer than the call.
std::unique_ptr<TaskRunner> ShareOptimizer(const Plan& plan, std::unique_ptr<TaskRunner> runner);

// The model a federation starts with, in ModelLayout: InitialModel of the network, and an optimizer
// that has not stepped yet, which is all zeros.
Model InitialModel(const Plan& plan);

}  // namespace fx
