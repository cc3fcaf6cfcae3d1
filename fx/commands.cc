#include "fx/commands.h"

#include "fx/workspace/create.h"
#include "fx/workspace/import.h"

namespace fx {

std::vector<std::unique_ptr<Command>> AllCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeWorkspaceCreate());
  commands.push_back(MakeWorkspaceImport());
  return commands;
}

}  // namespace fx
