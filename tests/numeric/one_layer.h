// One native layer by itself against its definition: outputs against plain loops in double, and
// gradients against finite differences of those loops.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/tensor/tensor.h"
#include "plan/network_spec.h"

namespace fx::test {

using Values = std::vector<double>;

// What a layer is asked to do. Values of a whole batch, row-major, as in NetworkSpec.
struct LayerInput {
  std::vector<Values> inputs;                // of each layer it reads, [batch, shape]
  std::map<std::string, Values> parameters;  // "weight", in ParameterLayout's shapes
};

// The definition of the layer: its output, [batch, shape].
using Definition = std::function<Values(const LayerInput&)>;

struct LayerCase {
  LayerSpec spec;
  std::vector<Shape> inputs;  // of one sample each
  std::int64_t batch = 3;
  bool training = true;
  bool differentiable_inputs = true;  // false: what goes in is whole numbers
  // Makes the input values; standard normal if empty.
  std::function<double(std::size_t input, std::size_t index)> value{};
  bool channels_last = false;  // how images lie in memory
};

// Fails the test, with the numbers, where the layer and its definition differ by more than
// `tolerance` of the largest value.
void CheckLayer(const LayerCase& layer, const Definition& definition, double tolerance = 1e-4);

}  // namespace fx::test
