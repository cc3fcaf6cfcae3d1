// fx workspace export: the archive that brings an experiment to its collaborators.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeWorkspaceExport();

}  // namespace fx
