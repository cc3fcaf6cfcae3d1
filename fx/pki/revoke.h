// fx pki revoke: takes a certificate back.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakePkiRevoke();

}  // namespace fx
