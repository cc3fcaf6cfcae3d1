// fx workspace import: a collaborator's workspace, from the archive of the aggregator's.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeWorkspaceImport();

}  // namespace fx
