// fx pki renew: a fresh certificate under the same name.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakePkiRenew();

}  // namespace fx
