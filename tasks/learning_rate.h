// How large the steps of a round are.
#pragma once

#include "core/base/names.h"
#include "plan/network_spec.h"

namespace fx {

// The learning rate times a factor of the round r, counted from 0. With W rounds of warm-up it is
// (r + 1) / (W + 1) in these, and afterwards, with s = r - W:
//
//   constant  1
//   step      factor^floor(s / every)
//   cosine    floor + (1 - floor) (1 + cos(pi s / rounds)) / 2, and `floor` from s = rounds on
//             (Loshchilov, Hutter, "SGDR", 2017, equation 5, without restarts)
double LearningRate(const OptimizerSpec& spec, Round round);

}  // namespace fx
