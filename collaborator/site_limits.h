// What a site's own rules let a collaborator do now: so many bytes a second, and only at its hours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "collaborator/token_bucket.h"
#include "core/base/error.h"
#include "plan/weekly_hours.h"

namespace fx::collaborator {

// The world the limits are kept in; others than the real one are for tests.
struct LimitsWorld {
  std::function<std::int64_t()> steady_us;  // never goes backwards
  std::function<int()> minute_of_week;      // local time, from Monday 00:00
  // False, at once, if there is no point in waiting any more.
  std::function<bool(std::int64_t ms)> wait;
  std::function<int()> utc_offset = [] { return 0; };  // of local time, in minutes, east of it > 0
};
// A stop ends every wait.
LimitsWorld RealWorld(std::stop_token stop);

// "Sun 19:30 (UTC+01:00)", the local time.
std::string LocalTimeText(const LimitsWorld& world);

class SiteLimits {
 public:
  // 0 bytes a second: no limit.
  SiteLimits(std::uint64_t bytes_per_second, WeeklyHours hours, LimitsWorld world);

  // The site's hours are now.
  bool Open() const;
  // Returns when they are, at once if so; says in the log that it waits, what time it takes it to
  // be, and when it no longer waits. Looks at the clock every minute, so that one that is set does
  // no harm. kCancelled if the wait was ended.
  Status WaitUntilOpen();
  // Until the hours end; none if they never do.
  std::optional<std::int64_t> MsUntilClose() const;

  // `bytes` have passed, in either direction. Returns when the next may; false: they may not,
  // because the hours have ended or the wait was ended.
  bool Pass(std::size_t bytes);
  // How much to send in one piece, at most `most`: pieces that take an eighth of a second.
  std::size_t Piece(std::size_t most) const;

 private:
  const std::uint64_t bytes_per_second_;
  const WeeklyHours hours_;
  const LimitsWorld world_;
  TokenBucket bucket_;
};

}  // namespace fx::collaborator
