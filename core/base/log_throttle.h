// Keeps strangers from filling the disk with log: of lines that anybody can cause only so many are
// written a minute, and the rest are counted.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <string_view>

#include "core/base/log.h"

namespace fx {

// One for each kind of line. Thread-safe.
class LogThrottle {
 public:
  static constexpr int kLinesAMinute = 30;

  // Writes the line, or counts it. When lines go through again, one before them says how many did
  // not.
  void Warn(std::string_view message, std::initializer_list<LogField> fields = {});

  // What Warn decides by. Nothing: the line is held back. A number: it may be written, and as many
  // were held back since the last that was. `now_ms` is a steady clock's.
  std::optional<std::uint64_t> Admit(std::int64_t now_ms);

 private:
  std::mutex mutex_;
  std::optional<std::int64_t> minute_began_;
  int written_ = 0;  // in this minute
  std::uint64_t held_back_ = 0;
};

}  // namespace fx
