// A neural network as data: what a plan declares under task_runner.settings, checked and with every
// shape worked out. Knows nothing of the library that will run it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace fx {

enum class LayerType { kConv2d, kMaxPool, kDense, kRelu, kDropout, kFlatten };

// One layer. Which fields mean something depends on `type`; the rest keep their defaults.
struct LayerSpec {
  LayerType type{};
  std::string name;  // unique; parameters are called name.weight and name.bias
  int line = 0;      // in plan.yaml, for messages

  std::int64_t filters = 0;                   // conv2d: output channels
  std::int64_t units = 0;                     // dense: outputs
  std::array<std::int64_t, 2> kernel{0, 0};   // conv2d, max_pool: height, width
  std::array<std::int64_t, 2> stride{1, 1};   // conv2d; max_pool: the kernel unless given
  std::array<std::int64_t, 2> padding{0, 0};  // zeros on each side
  bool bias = true;                           // conv2d, dense
  double rate = 0;                            // dropout: probability of a zero, in [0, 1)

  Shape input{};   // of one sample: [channels, height, width] or [features]
  Shape output{};  // likewise
};

enum class LossType { kSoftmaxCrossEntropy };

enum class OptimizerType { kSgd, kAdam };

struct OptimizerSpec {
  OptimizerType type = OptimizerType::kSgd;
  double learning_rate = 0.01;
  double momentum = 0;                // sgd: v = momentum v + g; w -= lr v
  double beta1 = 0.9, beta2 = 0.999;  // adam: Kingma, Ba 2015, algorithm 1
  double epsilon = 1e-8;
  double weight_decay = 0;  // added to the gradient: g + weight_decay w
};

struct NetworkSpec {
  Shape input_shape;  // of one sample, without the batch
  std::vector<LayerSpec> layers;
  LossType loss = LossType::kSoftmaxCrossEntropy;
  OptimizerSpec optimizer;
  std::uint64_t seed = 1;  // of initial weights, shuffles and dropout
  int threads = 1;         // of one training task; part of the plan because sums depend on it

  std::int64_t num_classes() const { return layers.back().output.back(); }
};

// Fills in `input` and `output` of every layer. Refuses a network whose shapes do not fit, naming
// the layer and both shapes.
Status InferShapes(NetworkSpec& network);

// The parameters in exchange order: for each conv2d and dense layer name.weight, then name.bias.
// conv2d weights are [filters, channels, height, width], dense weights [units, inputs], row-major.
Layout ParameterLayout(const NetworkSpec& network);

}  // namespace fx
