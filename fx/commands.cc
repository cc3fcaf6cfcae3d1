#include "fx/commands.h"

#include "fx/aggregator/certify.h"
#include "fx/aggregator/generate_cert_request.h"
#include "fx/aggregator/live_status.h"
#include "fx/aggregator/members.h"
#include "fx/aggregator/rounds.h"
#include "fx/aggregator/start.h"
#include "fx/collaborator/certify.h"
#include "fx/collaborator/create.h"
#include "fx/collaborator/generate_cert_request.h"
#include "fx/collaborator/ping.h"
#include "fx/collaborator/start.h"
#include "fx/doctor/doctor.h"
#include "fx/manual/commands.h"
#include "fx/model/save.h"
#include "fx/pki/list.h"
#include "fx/pki/renew.h"
#include "fx/pki/revoke.h"
#include "fx/pki/show.h"
#include "fx/pki/verify.h"
#include "fx/plan/commands.h"
#include "fx/plan/initialize.h"
#include "fx/status/status.h"
#include "fx/workspace/certify.h"
#include "fx/workspace/create.h"
#include "fx/workspace/dockerize.h"
#include "fx/workspace/export.h"
#include "fx/workspace/import.h"

namespace fx {

std::vector<std::unique_ptr<Command>> AllCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeWorkspaceCreate());
  commands.push_back(MakeWorkspaceCertify());
  commands.push_back(MakeWorkspaceExport());
  commands.push_back(MakeWorkspaceImport());
  commands.push_back(MakeWorkspaceDockerize());
  commands.push_back(MakePlanInitialize());
  commands.push_back(MakePlanPrint());
  commands.push_back(MakePlanSet());
  commands.push_back(MakePlanFreeze());
  commands.push_back(MakePlanSave());
  commands.push_back(MakePlanSwitch());
  commands.push_back(MakePlanRemove());
  commands.push_back(MakeAggregatorGenerateCertRequest());
  commands.push_back(MakeAggregatorCertify());
  commands.push_back(MakeAggregatorStart());
  commands.push_back(MakeAggregatorStatus());
  commands.push_back(MakeAggregatorAdd());
  commands.push_back(MakeAggregatorRemove());
  commands.push_back(MakeAggregatorCutOff());
  commands.push_back(MakeAggregatorStop());
  commands.push_back(MakeCollaboratorCreate());
  commands.push_back(MakeCollaboratorGenerateCertRequest());
  commands.push_back(MakeCollaboratorCertify());
  commands.push_back(MakeCollaboratorStart());
  commands.push_back(MakeCollaboratorPing());
  commands.push_back(MakePkiList());
  commands.push_back(MakePkiShow());
  commands.push_back(MakePkiVerify());
  commands.push_back(MakePkiRevoke());
  commands.push_back(MakePkiRenew());
  commands.push_back(MakeModelSave());
  commands.push_back(MakeStatus());
  commands.push_back(MakeDoctor());
  commands.push_back(MakeCompletion());
  commands.push_back(MakeMan());
  return commands;
}

}  // namespace fx
