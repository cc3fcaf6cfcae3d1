// All samples and targets of a data set, as a loader's tests look at them.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "tasks/data_loader.h"

namespace fx::test {

struct Gathered {
  std::vector<float> samples, targets;
};

inline Gathered GatherAll(const DataSet& data) {
  std::vector<std::uint32_t> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), 0U);
  Gathered out;
  out.samples.resize(all.size() * static_cast<std::size_t>(NumElements(data.sample_shape())));
  out.targets.resize(all.size() * static_cast<std::size_t>(NumElements(data.target_shape())));
  data.Gather(all, out.samples, out.targets);
  return out;
}

}  // namespace fx::test
