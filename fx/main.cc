// The fx program.
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/failpoint.h"
#include "core/base/memory.h"
#include "fx/app.h"
#include "fx/commands.h"

namespace {

// For tests of crashes; see core/base/failpoint.h.
fx::Status ArmFromEnvironment() {
  if (const char* const file = std::getenv("FX_FAILPOINT_TRACE")) TRY(fx::TraceFailpoints(file));
  if (const char* const text = std::getenv("FX_FAILPOINT")) TRY(fx::ArmFailpoints(text));
  return fx::Ok();
}

}  // namespace

int main(int argc, char** argv) {
  // Whoever reads our output may leave early; a federation does not end for that.
  std::signal(SIGPIPE, SIG_IGN);
  fx::KeepFreedMemory();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  fx::Io io = fx::StandardIo();
  if (const fx::Status armed = ArmFromEnvironment(); !armed) {
    io.err << armed.error().Render() << "\n";
    return static_cast<int>(fx::ExitCode::kUsage);
  }
  return static_cast<int>(fx::RunApp(arguments, fx::AllCommands(), io));
}
