// fx collaborator start: takes part in the federation until it is over.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeCollaboratorStart();

}  // namespace fx
