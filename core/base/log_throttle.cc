#include "core/base/log_throttle.h"

#include <chrono>
#include <string>
#include <utility>

namespace fx {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;

std::int64_t SteadyMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

void LogThrottle::Warn(std::string_view message, std::initializer_list<LogField> fields) {
  const auto held_back = Admit(SteadyMs());
  if (!held_back) return;
  if (*held_back > 0) {
    LogWarning("lines like the next were held back", {{"lines", std::to_string(*held_back)}});
  }
  LogWarning(message, fields);
}

std::optional<std::uint64_t> LogThrottle::Admit(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  if (!minute_began_ || now_ms - *minute_began_ >= kMinuteMs) {
    minute_began_ = now_ms;
    written_ = 0;
  }
  if (written_ == kLinesAMinute) {
    ++held_back_;
    return std::nullopt;
  }
  ++written_;
  return std::exchange(held_back_, 0);
}

}  // namespace fx
