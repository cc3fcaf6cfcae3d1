#include "core/base/metrics_file.h"

#include <cmath>
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

}  // namespace

std::string MetricsLine(Round round, double elapsed_seconds, std::span<const Metric> metrics) {
  std::string line = format(R"({{"round_number": {}, "elapsed_seconds": {})", Number(round),
                            JsonNumber(elapsed_seconds));
  for (const Metric& metric : metrics) {
    line += ", " + JsonString(metric.name) + ": " + JsonNumber(metric.value);
  }
  return line + "}";
}

Status AppendMissingLines(const Path& file, std::span<const std::string> lines) {
  if (lines.empty()) return Ok();
  FX_FAILPOINT_SCOPE("metrics");
  TRY(MakeFolders(file.parent_path()));
  std::string text = Exists(file) ? TRY(ReadFile(file)) : std::string();
  text.resize(text.rfind('\n') + 1);  // npos + 1 is 0
  std::string present;
  std::string missing;
  for (const std::string& line : lines) present += line + "\n";
  for (std::size_t n = lines.size(); n > 0 && !EndsWithLines(text, present); --n) {
    const std::string& line = lines[n - 1];
    present.resize(present.size() - line.size() - 1);
    missing.insert(0, line + "\n");
  }
  if (missing.empty()) return Ok();
  OutputFile out = TRY(OutputFile::Open(file, OutputFile::Existing::kKeep));
  TRY(out.Resize(text.size()));
  TRY(out.WriteAt(text.size(), AsBytes(missing)));
  return out.Sync();
}

}  // namespace fx
