// fx status: where the federation of this workspace stands, on the aggregator and on the sites.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeStatus();

}  // namespace fx
