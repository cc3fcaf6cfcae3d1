#include "tasks/progress_meter.h"

namespace fx {

ProgressMeter::ProgressMeter(const std::function<void(const Progress&)>& report,
                             std::int64_t epochs, std::int64_t samples_per_epoch)
    : report_(report), samples_per_epoch_(samples_per_epoch) {
  progress_.epochs = epochs;
  progress_.total = epochs * samples_per_epoch;
}

void ProgressMeter::Update(std::int64_t epoch, std::int64_t samples, double loss) {
  progress_.epoch = epoch;
  progress_.samples = (epoch - 1) * samples_per_epoch_ + samples;
  progress_.loss = loss;
  reported_ = false;
  const Clock::time_point now = Clock::now();
  if (now - last_ >= kInterval) Report(now);
}

void ProgressMeter::Finish() {
  if (!reported_) Report(Clock::now());
}

void ProgressMeter::Report(Clock::time_point now) {
  last_ = now;
  reported_ = true;
  if (!report_) return;
  const double seconds = std::chrono::duration<double>(now - begin_).count();
  progress_.samples_per_second = seconds > 0 ? static_cast<double>(progress_.samples) / seconds : 0;
  report_(progress_);
}

}  // namespace fx
