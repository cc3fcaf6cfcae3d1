// fx workspace create: a folder for an experiment, from a template.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeWorkspaceCreate();

}  // namespace fx
