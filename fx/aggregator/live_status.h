// fx aggregator status: where the federation stands, and who is there, by the aggregator that runs.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeAggregatorStatus();

}  // namespace fx
