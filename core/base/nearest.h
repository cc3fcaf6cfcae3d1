// The known name a mistyped one was probably meant to be, for hints.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace fx {

// How many characters must be inserted, removed or replaced to turn `a` into `b` (Levenshtein).
inline std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);  // distances of a's prefix to each prefix of b
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

// The known name nearest to `word`; the first of equals. Empty if none is near enough to be worth
// suggesting: more than a third of the longer name would have to change, and more than two letters.
// `known` is any range of things that convert to std::string_view.
template <typename Range>
std::string NearestName(std::string_view word, const Range& known) {
  std::string nearest;
  std::size_t least = std::string_view::npos;
  for (const auto& candidate : known) {
    const std::string_view name(candidate);
    const std::size_t distance = EditDistance(word, name);
    const std::size_t allowed = std::max<std::size_t>(2, std::max(word.size(), name.size()) / 3);
    if (distance > allowed || distance >= least || distance >= name.size()) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

}  // namespace fx
