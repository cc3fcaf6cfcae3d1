#include "fx/commands.h"

#include "fx/workspace/create.h"

namespace fx {

std::vector<std::unique_ptr<Command>> AllCommands() {
  std::vector<std::unique_ptr<Command>> commands;
  commands.push_back(MakeWorkspaceCreate());
  return commands;
}

}  // namespace fx
