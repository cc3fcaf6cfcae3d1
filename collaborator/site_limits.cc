#include "collaborator/site_limits.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "collaborator/backoff.h"
#include "core/base/format.h"
#include "core/base/log.h"

namespace fx::collaborator {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::size_t kLeastPiece = 4096;

std::int64_t SteadyMicroseconds() {
  using std::chrono::microseconds;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<microseconds>(now).count();
}

std::tm LocalTime() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local;
}

int LocalMinuteOfWeek() {
  const std::tm local = LocalTime();
  const int day = (local.tm_wday + 6) % 7;  // tm_wday counts from Sunday
  return (day * 24 + local.tm_hour) * 60 + local.tm_min;
}

int LocalOffset() {
  return static_cast<int>(LocalTime().tm_gmtoff / 60);
}

}  // namespace

LimitsWorld RealWorld(std::stop_token stop) {
  return {.steady_us = SteadyMicroseconds,
          .minute_of_week = LocalMinuteOfWeek,
          .wait = [stop = std::move(stop)](std::int64_t ms) { return WaitFor(ms, stop); },
          .utc_offset = LocalOffset};
}

std::string LocalTimeText(const LimitsWorld& world) {
  const int offset = world.utc_offset();
  const int minutes = std::abs(offset);
  return format("{} (UTC{}{:02}:{:02})", MinuteText(world.minute_of_week()), offset < 0 ? '-' : '+',
                minutes / 60, minutes % 60);
}

SiteLimits::SiteLimits(std::uint64_t bytes_per_second, WeeklyHours hours, LimitsWorld world)
    : bytes_per_second_(bytes_per_second),
      hours_(std::move(hours)),
      world_(std::move(world)),
      bucket_(std::max<std::uint64_t>(bytes_per_second, 1)) {}

bool SiteLimits::Open() const {
  return hours_.always() || hours_.Open(world_.minute_of_week());
}

Status SiteLimits::WaitUntilOpen() {
  if (Open()) return Ok();
  const int now = world_.minute_of_week();
  const int opening = (now + hours_.MinutesUntilChange(now).value_or(0)) % kMinutesOfWeek;
  LogInfo(format("outside of this site's hours; it goes on {}, and it is {} now",
                 MinuteText(opening), LocalTimeText(world_)),
          {{"hours", hours_.text()}});
  while (!Open()) {
    if (!world_.wait(kMinuteMs)) {
      return Fail(ErrorCode::kCancelled, "stopped outside of this site's hours");
    }
  }
  LogInfo("this site's hours have begun", {{"hours", hours_.text()}});
  return Ok();
}

std::optional<std::int64_t> SiteLimits::MsUntilClose() const {
  if (hours_.always()) return std::nullopt;
  const int now = world_.minute_of_week();
  if (!hours_.Open(now)) return 0;
  return hours_.MinutesUntilChange(now).value_or(0) * kMinuteMs;
}

bool SiteLimits::Pass(std::size_t bytes) {
  if (bytes_per_second_ != 0) {
    const std::int64_t us = bucket_.Take(bytes, world_.steady_us());
    if (us > 0 && !world_.wait((us + 999) / 1000)) return false;
  }
  return Open();
}

std::size_t SiteLimits::Piece(std::size_t most) const {
  if (bytes_per_second_ == 0) return most;
  return std::clamp<std::size_t>(bytes_per_second_ / 8, kLeastPiece, most);
}

}  // namespace fx::collaborator
