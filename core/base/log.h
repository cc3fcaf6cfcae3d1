// Log lines: one event a line, with named values.
//
//   LogInfo("round closed", {{"round", "3"}, {"stragglers", "1"}});
//   2026-03-01T10:00:00.123Z level=info msg="round closed" round=3 stragglers=1
//
// On a terminal the same line is shown in a form for people; on request as JSON, for programs:
//
//   {"time":"2026-03-01T10:00:00.123Z","level":"info","msg":"round closed","round":"3",...}
//
// Names, counts and digests only: never tensor values, keys, or paths of data. Goes to standard
// error. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace fx {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

using LogField = std::pair<std::string_view, std::string>;

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

inline void LogDebug(std::string_view m, std::initializer_list<LogField> f = {}) {
  Log(LogLevel::kDebug, m, f);
}
inline void LogInfo(std::string_view m, std::initializer_list<LogField> f = {}) {
  Log(LogLevel::kInfo, m, f);
}
inline void LogWarning(std::string_view m, std::initializer_list<LogField> f = {}) {
  Log(LogLevel::kWarning, m, f);
}
inline void LogError(std::string_view m, std::initializer_list<LogField> f = {}) {
  Log(LogLevel::kError, m, f);
}

// Lines below `level` are dropped. The default is kInfo.
void SetLogLevel(LogLevel level);

// kAuto: for people on a terminal, else logfmt. The others whatever standard error is. To be set
// before there are other threads.
enum class LogFormat { kAuto, kLogfmt, kJson };
void SetLogFormat(LogFormat format);
LogFormat CurrentLogFormat();

// Also writes every line to `path`, in JSON if that is the format and else in logfmt, appending.
// False if it cannot be opened.
bool AddLogFile(const std::string& path);

// The text of a line after its time (JsonText: after the value of "time"), in the three forms.
// Control characters in messages and values are shown as escapes: a line of input from outside can
// never become two lines of log.
namespace internal {
std::string LogfmtText(std::string_view message, std::initializer_list<LogField> fields);
std::string HumanText(LogLevel level, std::string_view message,
                      std::initializer_list<LogField> fields);
// All values are strings. What is not UTF-8 is replaced (RFC 8259 section 8.1). A field that would
// be a second "time", "level" or "msg" has an underscore put before it.
std::string JsonText(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields);
}  // namespace internal

}  // namespace fx
