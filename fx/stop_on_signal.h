// What a command that runs for long does with the signals it is sent: SIGINT (Ctrl-C) and SIGTERM
// become a request to stop, SIGHUP one to read again what may change while it runs.
#pragma once

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <future>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <thread>

#include "core/base/log.h"

namespace fx {

// From its construction to its destruction SIGINT and SIGTERM request a stop instead of ending the
// process. If the process is still there after `patience`, or at a second such signal, it is ended
// at once, which loses nothing that was promised: what was acknowledged is on the disk. Construct
// before any thread is started: threads inherit the blocked signals. One at a time a process.
//
// A SIGHUP because the terminal it was started on has been closed is taken as SIGTERM, unless
// SIGHUP was ignored before, as nohup does.
class StopOnSignal {
 public:
  // Below the ten seconds Docker waits before it kills.
  explicit StopOnSignal(std::chrono::milliseconds patience = std::chrono::seconds(8));
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const { return source_.get_token(); }

  // While it lives, each SIGHUP calls `reread`, on the thread that waits for signals. When its
  // destructor returns, no such call is under way.
  class OnHangUp {
   public:
    OnHangUp(StopOnSignal& signals, std::function<void()> reread);
    ~OnHangUp();
    OnHangUp(const OnHangUp&) = delete;
    OnHangUp& operator=(const OnHangUp&) = delete;

   private:
    StopOnSignal& signals_;
  };

 private:
  int Next() const;
  void Watch(const std::stop_token& done);
  void Stop(int number);
  void Say(LogLevel level, std::string_view message);
  void HangUp();
  bool TerminalIsGone() const;

  const std::chrono::milliseconds patience_;
  const int terminal_;  // that controls this process; -1 if none does, or SIGHUP was ignored
  std::stop_source source_;
  std::chrono::steady_clock::time_point end_{};  // at the latest; once a stop was requested
  std::mutex mutex_;
  std::function<void()> reread_;
  std::atomic<bool> speaking_ = false;
  std::future<void> speech_;  // of the watcher
  sigset_t before_{};
  std::jthread watcher_;
};

}  // namespace fx
