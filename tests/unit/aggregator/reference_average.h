// The weighted average as plainly as it can be written, to hold the fast one against.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fx::test {

// One element: base and the values x, weighted by w, added from left to right in doubles.
inline float ReferenceElement(float base, std::span<const float> x, std::span<const double> w) {
  double sum = 0;
  double total = 0;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const volatile double product = w[k] * double{x[k]};  // never fused with the addition
    sum += product;
    total += w[k];
  }
  return base + static_cast<float>(sum / total - double{base});
}

// Every element of equally long arrays; fewer than eight contributions (beyond, the sum of weights
// is numpy's pairwise one).
inline std::vector<float> ReferenceAverage(std::span<const float> base,
                                           const std::vector<std::vector<float>>& updates,
                                           std::span<const double> w) {
  std::vector<float> next;
  for (std::size_t i = 0; i < base.size(); ++i) {
    std::vector<float> x;
    for (const std::vector<float>& update : updates) x.push_back(update[i]);
    next.push_back(ReferenceElement(base[i], x, w));
  }
  return next;
}

}  // namespace fx::test
