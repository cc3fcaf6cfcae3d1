// The weights every party starts from.
#include <cmath>

#include "core/base/random.h"
#include "tasks/task_runner.h"

namespace fx {

Model InitialModel(const NetworkSpec& network) {
  Model model;
  double fan_in = 1;  // of the layer; a bias follows its weights
  for (const TensorSpec& spec : ParameterLayout(network)) {
    const bool weight = spec.shape.size() > 1;
    if (weight)
      fan_in = static_cast<double>(NumElements(spec.shape)) / static_cast<double>(spec.shape[0]);
    const auto bound = static_cast<float>(std::sqrt((weight ? 6 : 1) / fan_in));
    RandomStream draws(network.seed, "initial/" + spec.name);
    Tensor tensor(spec.shape);
    for (float& value : tensor.floats()) value = (2 * draws.NextFloat() - 1) * bound;
    model.push_back({.name = spec.name, .tensor = std::move(tensor)});
  }
  return model;
}

}  // namespace fx
