// fx pki list: the certificates of a workspace, when they expire, and which are revoked.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakePkiList();

}  // namespace fx
