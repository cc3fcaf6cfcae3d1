#include "fx/commands.h"

#include "fx/aggregator/certify.h"
#include "fx/aggregator/generate_cert_request.h"
#include "fx/collaborator/generate_cert_request.h"
#include "fx/workspace/certify.h"
#include "fx/workspace/create.h"
#include "fx/workspace/import.h"

namespace fx {

std::vector<std::unique_ptr<Command>> AllCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeWorkspaceCreate());
  commands.push_back(MakeWorkspaceCertify());
  commands.push_back(MakeAggregatorGenerateCertRequest());
  commands.push_back(MakeAggregatorCertify());
  commands.push_back(MakeCollaboratorGenerateCertRequest());
  commands.push_back(MakeWorkspaceImport());
  return commands;
}

}  // namespace fx
