// fx aggregator cut-off, fx aggregator stop: close the open round now; end after it.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeAggregatorCutOff();
std::unique_ptr<Command> MakeAggregatorStop();

}  // namespace fx
