// All numbers of a model, one tensor after the other.
#pragma once

#include <vector>

#include "core/tensor/tensor.h"

namespace fx::test {

inline std::vector<float> Flat(const Model& model) {
  std::vector<float> values;
  for (const NamedTensor& named : model) {
    const auto floats = named.tensor.floats();
    values.insert(values.end(), floats.begin(), floats.end());
  }
  return values;
}

}  // namespace fx::test
