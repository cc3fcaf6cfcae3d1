// What the parties of a federation exchange as its model.
#pragma once

#include "core/tensor/tensor.h"
#include "plan/plan.h"

namespace fx {

// What the optimizer keeps between steps, float32: for each trained one of `parameters`, in order
// and in its shape, "<parameter>.momentum" (sgd), all "<parameter>.m", then all "<parameter>.v"
// (adam, adamw), "<parameter>.sum" (adagrad), "<parameter>.v", then "<parameter>.momentum"
// (rmsprop, without a momentum only the former); and for adam and adamw "adam.step" [], which is
// not a whole number once it is an average. Empty for sgd without momentum.
Layout OptimizerStateLayout(const OptimizerSpec& optimizer, const Layout& parameters);

// The network's parameters and, if opt_treatment is CONTINUE_GLOBAL, the optimizer's state after
// them, its names behind kOptimizerStatePrefix. Shapes must be inferred.
Layout ModelLayout(const Plan& plan);

}  // namespace fx
