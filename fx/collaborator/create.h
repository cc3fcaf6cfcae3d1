// fx collaborator create: tells the workspace where this site's data lies.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeCollaboratorCreate();

}  // namespace fx
