// The aggregation functions a plan can name. One file a function, one row in the table below;
// docs/guides/new-aggregation-function.md shows how to add one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aggregator/functions/aggregation_function.h"

namespace fx::aggregator {

// A setting of a function, and what a plan may say. All are numbers.
struct Setting {
  enum class Range { kClosed, kAbove, kBelow };  // [low, high], (low, high], [low, high)
  std::string_view name;
  double fallback;
  double low, high;
  Range range = Range::kClosed;
  bool whole = false;             // no fractions
  std::string_view meaning = {};  // a sentence for docs/reference/plan-keys.md; not empty
};

// Every setting of a function by its name, in its range.
using Settings = std::map<std::string, double, std::less<>>;

// Who contributes to a round, in canonical order.
struct Contributors {
  std::vector<double> shares;  // of all samples; positive sum
  std::vector<double> steps;   // each one's optimizer steps, 1 or more; empty if unknown
  std::size_t size() const { return shares.size(); }
};

struct FunctionRow {
  std::string_view name;
  std::string_view alias;  // OpenFL's, if it has another
  std::vector<Setting> settings;
  std::unique_ptr<AggregationFunction> (*make)(const Settings&, const Contributors&);
  // How many contributors it takes for the function to do what it promises.
  std::size_t (*least_sites)(const Settings&) = nullptr;
  bool needs_steps = false;  // Contributors::steps
  // The sites correct their gradients (tasks/control_variates.h), and the model carries kSum.
  bool control_variates = false;
  bool curvature = false;         // likewise, and are held by their penalty (tasks/curvature.h)
  std::string_view meaning = {};  // a sentence for docs/reference/plan-keys.md, with its source
};

// The table: for each NAME a file of this folder defines `FunctionRow NAMERow()`.
#define FX_AGGREGATION_FUNCTIONS(ROW) \
  ROW(WeightedAverage)                \
  ROW(Median)                         \
  ROW(TrimmedMean)                    \
  ROW(NormClipping)                   \
  ROW(GeometricMedian)                \
  ROW(Krum)                           \
  ROW(MultiKrum)                      \
  ROW(FedAvgM)                        \
  ROW(FedAdagrad)                     \
  ROW(FedAdam)                        \
  ROW(FedYogi)                        \
  ROW(FedNova)                        \
  ROW(Scaffold)                       \
  ROW(FedCurv)

#define FX_DECLARE_ROW(NAME) FunctionRow NAME##Row();
FX_AGGREGATION_FUNCTIONS(FX_DECLARE_ROW)
#undef FX_DECLARE_ROW

const std::vector<FunctionRow>& AggregationFunctions();

// By its name or OpenFL's, without path; nullptr if there is none.
const FunctionRow* FindAggregationFunction(std::string_view name);

// The function of a plan that has been checked.
std::unique_ptr<AggregationFunction> MakeAggregationFunction(std::string_view name,
                                                             const Settings& settings,
                                                             const Contributors& contributors);

// Checked: there is such a setting.
double Get(const Settings& settings, std::string_view name);
// The same, of a whole one that is not negative.
std::size_t GetCount(const Settings& settings, std::string_view name);

}  // namespace fx::aggregator
