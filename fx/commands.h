// The table of all verbs.
#pragma once

#include <memory>
#include <vector>

#include "fx/command.h"

namespace fx {

// Fresh commands, each for one invocation, in the order the help shows them.
std::vector<std::unique_ptr<Command>> AllCommands();

}  // namespace fx
