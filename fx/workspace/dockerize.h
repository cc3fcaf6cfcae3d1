// fx workspace dockerize: the workspace, with fx and all that it needs, as a container image.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeWorkspaceDockerize();

}  // namespace fx
