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

// Whether a task in use has the sites correct their gradients by control variates; be held by the
// curvature of the others' losses; either, so that the model has sums over all sites, of which each
// keeps its part (docs/adr/0018).
bool UsesControlVariates(const Plan& plan);
bool UsesCurvature(const Plan& plan);
bool HasSums(const Plan& plan);

// The sums that go with them, float32, names behind kControlPrefix: for each trained one of
// `parameters`, in order and in its shape, "__control_<parameter>", the sum over the sites of
// samples times control variate; and "__control_samples" [], the sum of those samples. All 0 at
// first.
Layout ControlLayout(const Layout& parameters);

// Those that go with curvatures, float32, names behind kCurvaturePrefix: for each trained one of
// `parameters`, in order and in its shape, all "__curvature_<parameter>_u", the sums over the sites
// of curvatures, then all "__curvature_<parameter>_v", of curvatures times where the site was. All
// 0 at first.
Layout CurvatureLayout(const Layout& parameters);

// The network's parameters and, if opt_treatment is CONTINUE_GLOBAL, the optimizer's state after
// them, its names behind kOptimizerStatePrefix; or, if there are sums, those. Shapes must be
// inferred.
Layout ModelLayout(const Plan& plan);

}  // namespace fx
