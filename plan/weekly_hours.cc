#include "plan/weekly_hours.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

struct Window {
  int first_day = 0, last_day = 6;
  int from = 0, to = 0;  // minutes of the day; to <= 1440
};

std::string_view Trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::optional<int> DayOf(std::string_view text) {
  const auto day = std::ranges::find(kDays, text);
  if (day == kDays.end()) return std::nullopt;
  return static_cast<int>(day - kDays.begin());
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// "06:30"; "24:00" is the end of a day.
std::optional<int> TimeOf(std::string_view text) {
  const bool shaped = text.size() == 5 && IsDigit(text[0]) && IsDigit(text[1]) && text[2] == ':' &&
                      IsDigit(text[3]) && IsDigit(text[4]);
  if (!shaped) return std::nullopt;
  const int hours = (text[0] - '0') * 10 + text[1] - '0';
  const int minutes = (text[3] - '0') * 10 + text[4] - '0';
  const int time = hours * 60 + minutes;
  if (minutes > 59 || time > kMinutesOfDay) return std::nullopt;
  return time;
}

bool ReadDays(std::string_view text, Window& window) {
  const std::size_t dash = text.find('-');
  const auto first = DayOf(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : DayOf(text.substr(dash + 1));
  if (!first || !last) return false;
  window.first_day = *first;
  window.last_day = *last;
  return true;
}

bool ReadTimes(std::string_view text, Window& window) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const auto from = TimeOf(Trimmed(text.substr(0, dash)));
  const auto to = TimeOf(Trimmed(text.substr(dash + 1)));
  if (!from || !to || *from == *to || *from == kMinutesOfDay) return false;
  window.from = *from;
  window.to = *to;
  return true;
}

std::optional<Window> WindowOf(std::string_view text) {
  Window window;
  const std::size_t digit = std::min(text.find_first_of("0123456789"), text.size());
  const std::string_view days = Trimmed(text.substr(0, digit));
  if (!days.empty() && !ReadDays(days, window)) return std::nullopt;
  if (!ReadTimes(text.substr(digit), window)) return std::nullopt;
  return window;
}

void Add(const Window& window, std::bitset<kMinutesOfWeek>& open) {
  const int length = (window.to - window.from + kMinutesOfDay) % kMinutesOfDay;
  const int minutes = length == 0 ? kMinutesOfDay : length;
  const int days = (window.last_day - window.first_day + 7) % 7 + 1;
  for (int day = 0; day < days; ++day) {
    const int begin = (window.first_day + day) * kMinutesOfDay + window.from;
    for (int minute = 0; minute < minutes; ++minute) {
      open.set(static_cast<std::size_t>((begin + minute) % kMinutesOfWeek));
    }
  }
}

}  // namespace

Result<WeeklyHours> WeeklyHours::Parse(std::string_view text) {
  WeeklyHours hours;
  hours.text_ = Trimmed(text);
  hours.open_.reset();
  for (std::string_view left = text;;) {
    const std::size_t comma = left.find(',');
    const std::string_view part = Trimmed(left.substr(0, comma));
    const auto window = WindowOf(part);
    if (!window) {
      return Fail(ErrorCode::kInvalidArgument,
                  format("\"{}\" is no time of the week, expected such as \"20:00-06:00\" or "
                         "\"Mon-Fri 20:00-06:00, Sat-Sun 00:00-24:00\"",
                         part));
    }
    Add(*window, hours.open_);
    if (comma == std::string_view::npos) return hours;
    left.remove_prefix(comma + 1);
  }
}

std::optional<int> WeeklyHours::MinutesUntilChange(int minute) const {
  const bool now = Open(minute);
  for (int ahead = 1; ahead < kMinutesOfWeek; ++ahead) {
    if (Open((minute + ahead) % kMinutesOfWeek) != now) return ahead;
  }
  return std::nullopt;
}

std::string MinuteText(int minute) {
  const int of_day = minute % kMinutesOfDay;
  return format("{} {:02}:{:02}", kDays[static_cast<std::size_t>(minute / kMinutesOfDay)],
                of_day / 60, of_day % 60);
}

}  // namespace fx
