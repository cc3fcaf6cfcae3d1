#include "collaborator/backoff.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace fx::collaborator {

Backoff::Backoff(std::int64_t cap_ms, RandomStream jitter) : cap_ms_(cap_ms), jitter_(jitter) {}

std::int64_t Backoff::NextMs() {
  const std::int64_t window = std::min(window_ms_, cap_ms_);
  window_ms_ = std::min(window * 2, cap_ms_);
  const std::int64_t half = window / 2;
  const auto extra = jitter_.Below(static_cast<std::uint64_t>(window - half) + 1);
  return half + static_cast<std::int64_t>(extra);
}

bool WaitFor(std::int64_t ms, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
  return !stop.stop_requested();
}

}  // namespace fx::collaborator
