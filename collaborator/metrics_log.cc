#include "collaborator/metrics_log.h"

#include <cmath>
#include <string_view>

#include "core/base/format.h"

namespace fx::collaborator {
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

}  // namespace

std::string MetricsLine(const CollaboratorName& who, Round round,
                        std::span<const FinishedTask> results) {
  double seconds = 0;
  std::string metrics;
  for (const FinishedTask& result : results) {
    seconds += result.seconds;
    for (const Metric& metric : result.metrics) {
      const std::string key = who.value + "/" + result.task.value + "/" + metric.name;
      metrics += ", " + JsonString(key) + ": " + JsonNumber(metric.value);
    }
  }
  return format("{{\"round_number\": {}, \"elapsed_seconds\": {}{}}}", Number(round),
                JsonNumber(seconds), metrics);
}

Status AppendMetricsLine(const Path& file, const std::string& line) {
  TRY(MakeFolders(file.parent_path()));
  std::string text = Exists(file) ? TRY(ReadFile(file)) : std::string();
  text.resize(text.rfind('\n') + 1);  // npos + 1 is 0
  const std::string ending = line + "\n";
  if (text == ending || text.ends_with("\n" + ending)) return Ok();
  OutputFile out = TRY(OutputFile::Open(file, OutputFile::Existing::kKeep));
  TRY(out.Resize(text.size()));
  TRY(out.WriteAt(text.size(), AsBytes(ending)));
  return out.Sync();
}

}  // namespace fx::collaborator
