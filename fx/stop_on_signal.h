// Turns SIGINT (Ctrl-C) and SIGTERM into a request to stop.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace fx {

// From its construction to its destruction the two signals request a stop instead of ending the
// process; a second one ends it at once, which loses nothing that was promised. Construct before
// any thread is started: threads inherit the blocked signals. One at a time a process.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  void Watch(const std::stop_token& done);

  std::stop_source source_;
  sigset_t before_{};
  std::jthread watcher_;
};

}  // namespace fx
