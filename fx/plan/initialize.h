// fx plan initialize: makes a plan concrete and writes the model everyone starts from.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakePlanInitialize();

}  // namespace fx
