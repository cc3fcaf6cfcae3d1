#include "fx/stop_on_signal.h"

#include <unistd.h>

#include "core/base/log.h"

namespace fx {
namespace {

sigset_t Watched() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

StopOnSignal::StopOnSignal() {
  const sigset_t signals = Watched();
  pthread_sigmask(SIG_BLOCK, &signals, &before_);
  watcher_ = std::jthread([this](const std::stop_token& done) { Watch(done); });
}

StopOnSignal::~StopOnSignal() {
  watcher_.request_stop();
  // Blocked there too: it ends the sigwait and nothing else.
  pthread_kill(watcher_.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  watcher_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void StopOnSignal::Watch(const std::stop_token& done) {
  const sigset_t signals = Watched();
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (done.stop_requested()) return;
    if (!source_.request_stop()) _exit(128 + number);
    LogInfo("stopping; once more to stop at once");
  }
}

}  // namespace fx
