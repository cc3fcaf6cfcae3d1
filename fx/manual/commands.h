// fx completion and fx man: the program about itself.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeCompletion();
std::unique_ptr<Command> MakeMan();

}  // namespace fx
