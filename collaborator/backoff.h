// How long to wait before the next attempt, and a wait that a stop cuts short.
#pragma once

#include <cstdint>
#include <stop_token>

#include "core/base/random.h"

namespace fx::collaborator {

// Exponential with jitter: each delay is drawn evenly from the upper half of a window that doubles
// from kFirstMs to the cap, so that sites that lost the same aggregator do not return as one.
class Backoff {
 public:
  static constexpr std::int64_t kFirstMs = 200;

  // cap_ms > 0. `jitter` should differ from site to site.
  Backoff(std::int64_t cap_ms, RandomStream jitter);

  std::int64_t NextMs();
  void Reset() { window_ms_ = kFirstMs; }

 private:
  std::int64_t cap_ms_;
  std::int64_t window_ms_ = kFirstMs;
  RandomStream jitter_;
};

// False, at once, if a stop is requested before the time is over.
bool WaitFor(std::int64_t ms, const std::stop_token& stop);

}  // namespace fx::collaborator
