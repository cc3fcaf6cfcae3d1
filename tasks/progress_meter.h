// Tells how far a task is, a few times a second, whatever the size of its batches.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "tasks/task_runner.h"

namespace fx {

class ProgressMeter {
 public:
  static constexpr std::chrono::milliseconds kInterval{250};

  // `report` may be empty.
  ProgressMeter(const std::function<void(const Progress&)>& report, std::int64_t epochs,
                std::int64_t samples_per_epoch);

  // `samples` were done in this epoch (counted from 1), and `loss` is their mean.
  void Update(std::int64_t epoch, std::int64_t samples, double loss);
  // Reports the last update, if it was not yet.
  void Finish();

 private:
  using Clock = std::chrono::steady_clock;
  void Report(Clock::time_point now);

  const std::function<void(const Progress&)>& report_;
  const std::int64_t samples_per_epoch_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point last_ = begin_;
  Progress progress_;
  bool reported_ = true;
};

}  // namespace fx
