// A site's part of SCAFFOLD (Karimireddy et al. 2020, algorithm 1, option II): gradients corrected
// by what this site's differ from those of all. aggregator/functions/scaffold.cc is the other part.
#pragma once

#include <memory>

#include "plan/network_spec.h"
#include "tasks/task_runner.h"

namespace fx {

// `runner` with control variates: its model has the sums of ControlLayout (plan/model_layout.h)
// after the parameters. With K steps of rate eta from x to y, in a task that trains,
//
//   correction  c - c_k, added to each gradient; c = C / n of the model's sums
//   then        c_k+ = c_k - c + (x - y) / (K eta)        the mean of the uncorrected gradients
//               n_k+ = the samples trained on
//   the model   y, and C + n_k+ c_k+ - n_k c_k, n + n_k+ - n_k
//
// n_k c_k and n_k are the site's part of the sums (tasks/site_sums.h). Without one there is no
// correction. A rate of 0 tells nothing of gradients: all stays.
//
// `optimizer`, which the runner has, is sgd without momentum: others do not move by rate times
// gradient. Its learning rate is constant within a round. Weight decay is a part of the gradient.
std::unique_ptr<TaskRunner> WithControlVariates(const OptimizerSpec& optimizer,
                                                std::unique_ptr<TaskRunner> runner);

}  // namespace fx
