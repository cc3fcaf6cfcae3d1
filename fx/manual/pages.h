// The manual in two forms, made from what the commands say of themselves.
#pragma once

#include <span>
#include <string>

#include "fx/manual/facts.h"

namespace fx {

// fx(1), in the macros of man(7).
std::string ManPage(std::span<const CommandFacts> commands, const std::string& version);

// docs/reference/commands.md
std::string MarkdownReference(std::span<const CommandFacts> commands);

}  // namespace fx
