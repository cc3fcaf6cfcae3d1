// At which hours of the week a site takes part.
#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace fx {

inline constexpr int kMinutesOfDay = 24 * 60;
inline constexpr int kMinutesOfWeek = 7 * kMinutesOfDay;

// Times are minutes of the week, from Monday 00:00 of the clock on the wall. Every hour of the week
// unless parsed.
class WeeklyHours {
 public:
  WeeklyHours() { open_.set(); }

  // "20:00-06:00", "Mon-Fri 20:00-06:00, Sat-Sun 00:00-24:00": windows between commas, each for the
  // days at its beginning or for all. A window that ends before it begins ends on the next day. Two
  // windows may overlap. Refuses what is none, and hours that are no time at all.
  static Result<WeeklyHours> Parse(std::string_view text);

  bool always() const { return open_.all(); }
  bool Open(int minute) const { return open_.test(static_cast<std::size_t>(minute)); }

  // From the beginning of `minute` until it is no longer as in that minute; none if it always is.
  std::optional<int> MinutesUntilChange(int minute) const;

  // As it was written; "" if it was not.
  const std::string& text() const { return text_; }

 private:
  std::bitset<kMinutesOfWeek> open_;
  std::string text_;
};

// "Mon 06:00"
std::string MinuteText(int minute);

}  // namespace fx
