// Scripts that teach a shell to complete the words after fx. They hold all words themselves, so
// that completing starts no program.
#pragma once

#include <span>
#include <string>

#include "fx/manual/facts.h"

namespace fx {

std::string BashCompletion(std::span<const CommandFacts> commands);
std::string ZshCompletion(std::span<const CommandFacts> commands);
std::string FishCompletion(std::span<const CommandFacts> commands);

}  // namespace fx
