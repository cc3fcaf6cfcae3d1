#include "fx/service/metrics_text.h"

#include <cmath>

#include "core/base/format.h"

namespace fx {
namespace {

std::string ValueText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return format("{}", value);
}

}  // namespace

void MetricsText::Gauge(std::string_view name, std::string_view help, double value) {
  Add("gauge", name, help, value);
}

void MetricsText::Counter(std::string_view name, std::string_view help, double value) {
  Add("counter", name, help, value);
}

void MetricsText::Add(std::string_view type, std::string_view name, std::string_view help,
                      double value) {
  text_ += format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, ValueText(value));
}

}  // namespace fx
