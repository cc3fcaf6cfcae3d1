// How many of a number of collaborators take part in a round.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "plan/plan.h"

namespace fx {

// Products of decimal fractions are off by an ulp or so: 0.07 * 100 is not to be 8.
inline std::size_t RoundUp(double number) {
  constexpr double kSlack = 1e-9;
  return static_cast<std::size_t>(std::ceil(number - kSlack));
}

// Of `members` collaborators, how many a round waits for: fraction * members, rounded up, and at
// least `minimum`; and how many are asked, over_selection more of them, rounded up.
inline std::size_t NumWanted(const Sampling& sampling, std::size_t members) {
  const std::size_t share = RoundUp(sampling.fraction * static_cast<double>(members));
  return std::min(members, std::max(share, sampling.minimum));
}
inline std::size_t NumAsked(const Sampling& sampling, std::size_t members) {
  const auto wanted = static_cast<double>(NumWanted(sampling, members));
  return std::min(members, RoundUp(wanted * (1 + sampling.over_selection)));
}

}  // namespace fx
