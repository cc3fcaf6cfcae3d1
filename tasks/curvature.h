// A site's part of FedCurv (Shoham et al. 2019, "Overcoming Forgetting in Federated Learning on
// Non-IID Data", section 3): held near where the other sites ended, as firmly as their losses are
// curved there. aggregator/functions/fed_curv.cc is the other part.
#pragma once

#include <memory>

#include "plan/plan.h"
#include "tasks/task_runner.h"

namespace fx {

// `runner` with curvatures: its model has the sums U and V of CurvatureLayout (plan/model_layout.h)
// after the parameters. The loss of a task that trains is, with the lambda of its aggregation type
// and the sites j, which ended at x_j with curvatures F_j,
//
//   L_k(x) + lambda sum_{j != k} (x - x_j)^T diag(F_j) (x - x_j)
//
// whose last term has the gradient 2 lambda (x (U - u_k) - (V - v_k)), with
//
//   then        u_k+ = F_k, v_k+ = F_k x_k of where this site ended: TaskRunner::Fisher
//   the model   x_k, and U + u_k+ - u_k, V + v_k+ - v_k
//
// u_k and v_k are the site's part of the sums (tasks/site_sums.h); 0 if it has none yet. Of a site
// alone U - u_k is exactly 0. Sums below 0, which only rounding makes, count as 0. With lambda 0
// the sums are kept, and nothing is added to gradients; with 1/2 the last term is Laplace's
// approximation of the others' losses, if F is their second derivative.
//
// `treatment` is that of the plan, not CONTINUE_GLOBAL.
std::unique_ptr<TaskRunner> WithCurvature(OptTreatment treatment,
                                          std::unique_ptr<TaskRunner> runner);

}  // namespace fx
