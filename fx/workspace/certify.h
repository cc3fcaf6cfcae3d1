// fx workspace certify: the certificate authority of a federation.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeWorkspaceCertify();

}  // namespace fx
