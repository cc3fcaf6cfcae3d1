// Which metrics a task may ask for. What they are: tasks/metrics.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/network_spec.h"

namespace fx {

// All names, as the plan spells them; acc is accuracy.
const std::vector<std::string>& MetricNames();

// Those that mean something for what the network puts out and is trained for. Its shapes must be
// inferred. With mse they are loss and mae, with all other losses all but mae; auroc, which looks
// at all outputs together, only where a sample has one place to judge.
std::vector<std::string> MetricNamesFor(const NetworkSpec& network);

// A loss is a metric with "loss" in its name, in any case.
bool IsLoss(std::string_view metric);
// Of losses and errors (mae) less is better; of everything else, more is.
bool LessIsBetter(std::string_view metric);

}  // namespace fx
