#include "core/base/metrics_file.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/failpoint.h"
#include "core/base/format.h"

namespace fx {
namespace {

std::string JsonString(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      json += format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      json += c;
    }
  }
  return json + '"';
}

std::string JsonNumber(double value) {
  return std::isfinite(value) ? format("{}", value) : "null";
}

bool EndsWithLines(std::string_view text, std::string_view lines) {
  if (!text.ends_with(lines)) return false;
  text.remove_suffix(lines.size());
  return text.empty() || text.ends_with('\n');
}

struct End {
  std::uint64_t begin = 0;
  std::string text;  // ends with a whole line
};

// The last whole lines of a file, of about so many bytes or more.
Result<End> ReadEnd(const Path& path, std::uint64_t bytes) {
  if (!Exists(path)) return End{};
  const std::uint64_t size = TRY(FileSize(path));
  const InputFile file = TRY(InputFile::Open(path));
  for (;; bytes *= 2) {
    End end{.begin = size - std::min(size, bytes), .text = {}};
    end.text.resize(size - end.begin);
    TRY(file.ReadAt(end.begin, std::as_writable_bytes(std::span(end.text))));
    const std::size_t newline = end.text.rfind('\n');
    if (newline == std::string::npos && end.begin > 0) continue;
    end.text.resize(newline + 1);  // npos + 1 is 0
    return end;
  }
}

}  // namespace

std::string MetricsLine(Round round, double elapsed_seconds, std::span<const Metric> metrics) {
  std::string line = format(R"({{"round_number": {}, "elapsed_seconds": {})", Number(round),
                            JsonNumber(elapsed_seconds));
  for (const Metric& metric : metrics) {
    line += ", " + JsonString(metric.name) + ": " + JsonNumber(metric.value);
  }
  return line + "}";
}

std::string MetricText(Round round, const std::string& origin, const TaskName& task,
                       const Metric& metric) {
  return format(
      "METRIC {{'round': {}, 'metric_origin': '{}', 'task_name': '{}', 'metric_name': '{}', "
      "'metric_value': {}}}",
      Number(round), origin, task.value, metric.name, metric.value);
}

Status AppendMissingLines(const Path& file, std::span<const std::string> lines) {
  if (lines.empty()) return Ok();
  FX_FAILPOINT_SCOPE("metrics");
  TRY(MakeFolders(file.parent_path()));
  std::string present;
  std::string missing;
  for (const std::string& line : lines) present += line + "\n";
  // What may be cut short was to be one of these lines too.
  auto [begin, text] = TRY(ReadEnd(file, 2 * present.size() + 1));
  for (std::size_t n = lines.size(); n > 0 && !EndsWithLines(text, present); --n) {
    const std::string& line = lines[n - 1];
    present.resize(present.size() - line.size() - 1);
    missing.insert(0, line + "\n");
  }
  if (missing.empty()) return Ok();
  OutputFile out = TRY(OutputFile::Open(file, OutputFile::Existing::kKeep));
  TRY(out.Resize(begin + text.size()));
  TRY(out.WriteAt(begin + text.size(), AsBytes(missing)));
  return out.Sync();
}

}  // namespace fx
