// The verbs of `fx plan` that look at, keep and change plans; initialize has a file of its own.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakePlanFreeze();
std::unique_ptr<Command> MakePlanPrint();
std::unique_ptr<Command> MakePlanSet();
std::unique_ptr<Command> MakePlanSave();
std::unique_ptr<Command> MakePlanSwitch();
std::unique_ptr<Command> MakePlanRemove();

}  // namespace fx
