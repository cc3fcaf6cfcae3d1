// fx pki show: what is in a certificate, a request or a revocation list.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakePkiShow();

}  // namespace fx
