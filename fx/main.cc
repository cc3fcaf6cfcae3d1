// The fx program.
#include <string>
#include <vector>

#include "fx/app.h"
#include "fx/commands.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  fx::Io io = fx::StandardIo();
  return static_cast<int>(fx::RunApp(arguments, fx::AllCommands(), io));
}
