// Which tensors of a model are not trained weights, by their names.
#pragma once

#include <string_view>

namespace fx {

// Before the name of what a site's optimizer keeps between its steps. Such tensors are averages of
// what the sites sent, and no changes to what there was before: momenta and squares differ from
// round to round by orders of magnitude, and as a difference to a large one a small one would be
// lost.
inline constexpr std::string_view kOptimizerStatePrefix = "__opt_state_";

// Before the names of sums over all sites: of control variates, and of curvatures
// (plan/model_layout.h says which tensors there are).
inline constexpr std::string_view kControlPrefix = "__control_";
inline constexpr std::string_view kCurvaturePrefix = "__curvature_";

constexpr bool IsSum(std::string_view name) {
  return name.starts_with(kControlPrefix) || name.starts_with(kCurvaturePrefix);
}

// The ends of names of running statistics: averages of the data, which no optimizer moves.
constexpr bool IsRunningStatistic(std::string_view name) {
  return name.ends_with(".running_mean") || name.ends_with(".running_var");
}

}  // namespace fx
