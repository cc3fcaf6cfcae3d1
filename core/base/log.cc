#include "core/base/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "core/base/format.h"
#include "core/base/json_string.h"

namespace fx {
namespace {

constexpr const char* kLogfmtPattern = "%Y-%m-%dT%H:%M:%S.%eZ level=%l %v";
constexpr const char* kHumanPattern = "%H:%M:%S.%e %^%v%$";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})";

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  constexpr std::array kLevels{spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                               spdlog::level::err};
  return kLevels.at(static_cast<std::size_t>(level));
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// Control characters become escapes, so that a hostile name cannot forge a line or move a cursor.
void AppendEscaped(std::string& out, std::string_view text, bool in_quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (IsControl(c)) {
      out += format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      if (in_quotes && (c == '"' || c == '\\')) out += '\\';
      out += c;
    }
  }
}

void AppendQuoted(std::string& out, std::string_view text) {
  out += '"';
  AppendEscaped(out, text, true);
  out += '"';
}

void AppendFields(std::string& out, std::initializer_list<LogField> fields) {
  for (const auto& [key, value] : fields) {
    out += format(" {}=", key);
    const bool plain = !value.empty() && value.find_first_of(" =\"\\") == std::string::npos &&
                       std::ranges::none_of(value, IsControl);
    plain ? void(out += value) : AppendQuoted(out, value);
  }
}

std::string_view NameOf(LogLevel level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  return kNames.at(static_cast<std::size_t>(level));
}

std::atomic<LogLevel> lowest_level{LogLevel::kInfo};
std::atomic<LogFormat> chosen_format{LogFormat::kAuto};

// Where lines go. Made at the first line and never destroyed, so that threads may log to the end.
class Destinations {
 public:
  static Destinations& Get() {
    static auto* instance = new Destinations;
    return *instance;
  }

  void Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    const std::lock_guard lock(mutex_);
    const spdlog::level::level_enum at = ToSpdlog(level);
    const std::string line = format_ == LogFormat::kJson
                                 ? internal::JsonText(level, message, fields)
                                 : internal::LogfmtText(message, fields);
    terminal_.log(at, ForPeople() ? internal::HumanText(level, message, fields) : line);
    for (spdlog::logger& file : files_) file.log(at, line);
  }

  void SetFormat(LogFormat format) {
    const std::lock_guard lock(mutex_);
    format_ = format;
    Prepare(terminal_, ForPeople() ? kHumanPattern : MachinePattern());
    for (spdlog::logger& file : files_) Prepare(file, MachinePattern());
  }

  bool AddFile(const std::string& path) {
    const std::lock_guard lock(mutex_);
    try {
      spdlog::logger& file =
          files_.emplace_back("fx", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path));
      Prepare(file, MachinePattern());
    } catch (const spdlog::spdlog_ex&) {
      return false;
    }
    return true;
  }

 private:
  Destinations() { Prepare(terminal_, ForPeople() ? kHumanPattern : MachinePattern()); }

  bool ForPeople() const { return on_terminal_ && format_ == LogFormat::kAuto; }
  const char* MachinePattern() const {
    return format_ == LogFormat::kJson ? kJsonPattern : kLogfmtPattern;
  }

  // The level is decided before a line is formatted, so spdlog lets everything through.
  static void Prepare(spdlog::logger& logger, const char* pattern) {
    logger.set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }

  std::mutex mutex_;  // keeps the lines of all destinations in one order
  const bool on_terminal_ = ::isatty(STDERR_FILENO) == 1;
  LogFormat format_ = chosen_format;
  spdlog::logger terminal_{"fx", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()};
  std::vector<spdlog::logger> files_;
};

}  // namespace

namespace internal {

std::string LogfmtText(std::string_view message, std::initializer_list<LogField> fields) {
  std::string text = "msg=";
  AppendQuoted(text, message);
  AppendFields(text, fields);
  return text;
}

std::string HumanText(LogLevel level, std::string_view message,
                      std::initializer_list<LogField> fields) {
  std::string text;
  if (level == LogLevel::kWarning) text = "warning: ";
  if (level == LogLevel::kError) text = "error: ";
  AppendEscaped(text, message, false);
  AppendFields(text, fields);
  return text;
}

std::string JsonText(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) {
  std::string text = format(R"("level":"{}","msg":)", NameOf(level));
  AppendJsonString(text, message);
  for (const auto& [key, value] : fields) {
    const bool taken = key == "time" || key == "level" || key == "msg";
    text += ',';
    AppendJsonString(text, taken ? format("_{}", key) : key);
    text += ':';
    AppendJsonString(text, value);
  }
  return text;
}

}  // namespace internal

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  Destinations::Get().Write(level, message, fields);
}

void SetLogLevel(LogLevel level) {
  lowest_level.store(level, std::memory_order_relaxed);
}

void SetLogFormat(LogFormat format) {
  chosen_format = format;
  Destinations::Get().SetFormat(format);
}

LogFormat CurrentLogFormat() {
  return chosen_format;
}

bool AddLogFile(const std::string& path) {
  return Destinations::Get().AddFile(path);
}

}  // namespace fx
