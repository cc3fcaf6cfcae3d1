#include "fx/stop_on_signal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "fx/app.h"

namespace fx {
namespace {

using Steady = std::chrono::steady_clock;

sigset_t Watched() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  return signals;
}

bool IsIgnored(int number) {
  struct sigaction action {};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

timespec Until(Steady::time_point end) {
  const auto left = std::max(end - Steady::now(), Steady::duration::zero());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
  return {.tv_sec = seconds.count(),
          .tv_nsec = std::chrono::duration_cast<std::chrono::nanoseconds>(left - seconds).count()};
}

}  // namespace

StopOnSignal::StopOnSignal(std::chrono::milliseconds patience)
    : patience_(patience),
      terminal_(IsIgnored(SIGHUP) ? -1 : open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)) {
  const sigset_t signals = Watched();
  pthread_sigmask(SIG_BLOCK, &signals, &before_);
  watcher_ = std::jthread([this](const std::stop_token& done) { Watch(done); });
}

StopOnSignal::~StopOnSignal() {
  speaking_.wait(true);  // as long as the watcher is there to end the process if need be
  watcher_.request_stop();
  // Blocked there too: it ends the wait and nothing else.
  pthread_kill(watcher_.native_handle(), SIGTERM);  // NOLINT(bugprone-bad-signal-to-kill-thread)
  watcher_.join();
  if (terminal_ >= 0) close(terminal_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

StopOnSignal::OnHangUp::OnHangUp(StopOnSignal& signals, std::function<void()> reread)
    : signals_(signals) {
  const std::lock_guard lock(signals_.mutex_);
  signals_.reread_ = std::move(reread);
}

StopOnSignal::OnHangUp::~OnHangUp() {
  const std::lock_guard lock(signals_.mutex_);
  signals_.reread_ = nullptr;
}

// The next signal, or 0 when the time is over.
int StopOnSignal::Next() const {
  const sigset_t signals = Watched();
  for (;;) {
    const bool stopping = source_.stop_requested();
    const timespec left = Until(end_);
    const int number =
        stopping ? sigtimedwait(&signals, nullptr, &left) : sigwaitinfo(&signals, nullptr);
    if (number > 0) return number;
    if (stopping && Steady::now() >= end_) return 0;
  }
}

void StopOnSignal::Watch(const std::stop_token& done) {
  for (;;) {
    const int number = Next();
    if (done.stop_requested()) return;
    if (number == SIGHUP && !TerminalIsGone()) {
      HangUp();
    } else {
      Stop(number);
    }
  }
}

void StopOnSignal::Stop(int number) {
  if (number == 0) {
    Say(LogLevel::kWarning, "still busy; ending at once: what was acknowledged is safe");
    _exit(static_cast<int>(ExitCode::kCancelled));
  }
  if (source_.stop_requested()) {
    if (number == SIGHUP) return;  // a closed terminal says so more than once
    _exit(128 + number);
  }
  Say(LogLevel::kInfo, "stopping; once more to stop at once");
  end_ = Steady::now() + patience_;
  source_.request_stop();
}

// Standard error may be a pipe that nobody reads, and a process has to end all the same.
void StopOnSignal::Say(LogLevel level, std::string_view message) {
  if (speaking_) return;
  speaking_ = true;
  speech_ = std::async(std::launch::async, [this, level, message] {
    Log(level, message);
    speaking_ = false;
    speaking_.notify_all();
  });
  speech_.wait_for(std::chrono::milliseconds(200));
}

void StopOnSignal::HangUp() {
  const std::lock_guard lock(mutex_);
  if (source_.stop_requested()) return;
  reread_ ? reread_() : LogInfo("there is nothing to read again yet");
}

bool StopOnSignal::TerminalIsGone() const {
  return terminal_ >= 0 && isatty(terminal_) != 1;
}

}  // namespace fx
