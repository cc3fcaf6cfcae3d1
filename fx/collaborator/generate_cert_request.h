// fx collaborator generate-cert-request: a collaborator's key and certificate request.
#pragma once

#include <memory>

#include "fx/command.h"

namespace fx {

std::unique_ptr<Command> MakeCollaboratorGenerateCertRequest();

}  // namespace fx
