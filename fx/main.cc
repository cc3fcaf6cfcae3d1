// The fx program.
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/failpoint.h"
#include "core/base/memory.h"
#include "fx/app.h"
#include "fx/commands.h"
#include "fx/openmp_environment.h"

namespace {

// For tests of crashes; see core/base/failpoint.h.
fx::Status ArmFromEnvironment() {
  if (const char* const file = std::getenv("FX_FAILPOINT_TRACE")) TRY(fx::TraceFailpoints(file));
  if (const char* const text = std::getenv("FX_FAILPOINT")) TRY(fx::ArmFailpoints(text));
  return fx::Ok();
}

// Whether these are the arguments of a command that trains.
bool Trains(const std::vector<std::string>& arguments) {
  const auto noun = std::ranges::find(arguments, "collaborator");
  return noun != arguments.end() && noun + 1 != arguments.end() && *(noun + 1) == "start";
}

// OpenMP reads the environment when it is loaded, which is before main, so this program starts
// itself once more. If it cannot, it is slower, no worse.
void RestartForOpenMp(char** argv) {
  if (fx::SetOpenMpEnvironment()) execv("/proc/self/exe", argv);
  // Started that way, ps, top and killall would know it as "exe".
  prctl(PR_SET_NAME, program_invocation_short_name);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (Trains(arguments)) RestartForOpenMp(argv);
  // Whoever reads our output may leave early; a federation does not end for that.
  std::signal(SIGPIPE, SIG_IGN);
  fx::KeepFreedMemory();
  fx::Io io = fx::StandardIo();
  if (const fx::Status armed = ArmFromEnvironment(); !armed) {
    io.err << armed.error().Render() << "\n";
    return static_cast<int>(fx::ExitCode::kUsage);
  }
  return static_cast<int>(fx::RunApp(arguments, fx::AllCommands(), io));
}
