// A clock that moves only when somebody waits.
#pragma once

#include <cstdint>
#include <limits>

#include "collaborator/site_limits.h"

namespace fx::test {

class FakeTime {
 public:
  // Starts at a minute of the week.
  explicit FakeTime(int minute = 0) : start_minute_(minute) {}

  // The clock outlives it.
  collaborator::LimitsWorld World() {
    return {.steady_us = [this] { return elapsed_ms_ * 1000; },
            .minute_of_week = [this] { return minute(); },
            .wait = [this](std::int64_t ms) { return Wait(ms); },
            .utc_offset = [this] { return utc_offset_; }};
  }

  void Advance(std::int64_t ms) { elapsed_ms_ += ms; }
  void SetUtcOffset(int minutes) { utc_offset_ = minutes; }
  // Every wait after so many more is ended at once.
  void StopAfterWaits(int waits) { last_wait_ = waits_ + waits; }

  int minute() const {
    return static_cast<int>((start_minute_ + elapsed_ms_ / 60'000) % kMinutesOfWeek);
  }
  std::int64_t elapsed_ms() const { return elapsed_ms_; }
  int waits() const { return waits_; }

 private:
  bool Wait(std::int64_t ms) {
    if (waits_++ >= last_wait_) return false;
    elapsed_ms_ += ms;
    return true;
  }

  int start_minute_;
  std::int64_t elapsed_ms_ = 0;
  int utc_offset_ = 0;
  int waits_ = 0;
  int last_wait_ = std::numeric_limits<int>::max();
};

}  // namespace fx::test
