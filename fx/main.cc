// The fx program.
#include <csignal>
#include <string>
#include <vector>

#include "fx/app.h"
#include "fx/commands.h"

int main(int argc, char** argv) {
  // Whoever reads our output may leave early; a federation does not end for that.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  fx::Io io = fx::StandardIo();
  return static_cast<int>(fx::RunApp(arguments, fx::AllCommands(), io));
}
