// fx aggregator start: runs the aggregator of this workspace's plan until the federation is over.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeAggregatorStart();

}  // namespace fx
