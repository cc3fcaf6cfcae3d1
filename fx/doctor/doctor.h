// fx doctor: looks at a workspace before a run.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeDoctor();

}  // namespace fx
