// fx aggregator add, fx aggregator remove: who takes part from the next round on, and who leaves.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeAggregatorAdd();
std::unique_ptr<Command> MakeAggregatorRemove();

}  // namespace fx
