#include "aggregator/functions/registry.h"

#include <algorithm>

#include "core/base/error.h"

namespace fx::aggregator {

const std::vector<FunctionRow>& AggregationFunctions() {
#define FX_ROW(NAME) NAME##Row(),
  static const std::vector<FunctionRow> rows = {FX_AGGREGATION_FUNCTIONS(FX_ROW)};
#undef FX_ROW
  return rows;
}

const FunctionRow* FindAggregationFunction(std::string_view name) {
  const auto& rows = AggregationFunctions();
  const auto found = std::ranges::find_if(rows, [&](const FunctionRow& row) {
    return row.name == name || (!row.alias.empty() && row.alias == name);
  });
  return found == rows.end() ? nullptr : &*found;
}

std::unique_ptr<AggregationFunction> MakeAggregationFunction(std::string_view name,
                                                             const Settings& settings,
                                                             const Contributors& contributors) {
  const FunctionRow* row = FindAggregationFunction(name);
  FX_CHECK(row != nullptr);
  Settings all = settings;
  for (const Setting& setting : row->settings) {
    all.emplace(std::string(setting.name), setting.fallback);
  }
  return row->make(all, contributors);
}

double Get(const Settings& settings, std::string_view name) {
  const auto found = settings.find(name);
  FX_CHECK(found != settings.end());
  return found->second;
}

std::size_t GetCount(const Settings& settings, std::string_view name) {
  const double value = Get(settings, name);
  FX_CHECK(value >= 0);
  return static_cast<std::size_t>(value);
}

}  // namespace fx::aggregator
