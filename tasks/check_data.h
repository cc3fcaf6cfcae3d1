// Whether data are what a network can be trained and judged on.
#pragma once

#include "core/base/error.h"
#include "plan/network_spec.h"
#include "tasks/data_loader.h"

namespace fx {

// Goes through all samples. Refuses none at all, samples or targets of another shape, classes the
// network has no output for, answers outside [0, 1] (binary_cross_entropy, dice), and targets that
// are not finite. `part` is "training" or "validation", for the message.
Status CheckData(const NetworkSpec& network, const DataSet& data, const char* part);

}  // namespace fx
