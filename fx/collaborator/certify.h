// fx collaborator certify: signs a collaborator's request, or imports the signed certificate.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeCollaboratorCertify();

}  // namespace fx
