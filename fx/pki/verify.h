// fx pki verify: what is wrong with the certificates of a workspace, and what to do about it.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakePkiVerify();

}  // namespace fx
