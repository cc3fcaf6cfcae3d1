// fx collaborator ping: whether this site could take part, and if not, at which step it ends.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeCollaboratorPing();

}  // namespace fx
