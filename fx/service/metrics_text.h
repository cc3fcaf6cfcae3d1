// Numbers as Prometheus reads them: its text format, version 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats).
#pragma once

#include <string>
#include <string_view>

namespace fx {

inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// Collects metrics without labels. A name is fx_ and words with underscores; a counter's ends with
// _total, and seconds and bytes are called so, as its conventions have it.
class MetricsText {
 public:
  void Gauge(std::string_view name, std::string_view help, double value);
  void Counter(std::string_view name, std::string_view help, double value);

  const std::string& text() const { return text_; }

 private:
  void Add(std::string_view type, std::string_view name, std::string_view help, double value);
  std::string text_;
};

}  // namespace fx
