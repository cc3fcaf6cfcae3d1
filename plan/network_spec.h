// A neural network as data: what a plan declares under task_runner.settings, checked and with every
// shape worked out. Knows nothing of the library that will run it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace fx {

enum class LayerType {
  kConv2d,
  kMaxPool,
  kDense,
  kRelu,
  kDropout,
  kFlatten,
  kConvTranspose2d,
  kAvgPool,        // the padding counts, as zeros
  kGlobalAvgPool,  // [channels, height, width] to [channels]
  kBatchNorm,      // Ioffe, Szegedy 2015; a value a channel, or a feature
  kLayerNorm,      // Ba, Kiros, Hinton 2016; over the last axis
  kGroupNorm,      // Wu, He 2018
  kLeakyRelu,
  kGelu,  // x Phi(x), exact (Hendrycks, Gimpel 2016)
  kSilu,  // x sigmoid(x)
  kTanh,
  kSigmoid,
  kSoftmax,  // over channels, or over the last axis where there are none
  kReshape,
  kConcat,  // along the first axis
  kAdd,
  kUpsample,
  kEmbedding,  // [time] of whole numbers to [time, units]
  kLstm,       // Hochreiter, Schmidhuber 1997; [time, features] to [time, units] or [units]
  kGru,        // Cho et al. 2014, the reset gate inside as in PyTorch and cuDNN
};

// As a plan spells it: "conv2d".
std::string_view WordOf(LayerType type);

enum class Interpolation { kNearest, kBilinear };  // bilinear: corners not aligned

inline constexpr std::int64_t kNetworkInput = -1;  // in LayerSpec::inputs

// One layer. Which fields mean something depends on `type`; the rest keep their defaults.
struct LayerSpec {
  LayerType type{};
  std::string name{};  // unique; parameters are called name.weight and so on
  int line = 0;        // in plan.yaml, for messages

  // The layers it reads, by their place in the list, all before its own; kNetworkInput: the sample.
  // Empty: the layer before, which InferShapes writes out.
  std::vector<std::int64_t> inputs{};

  std::int64_t filters = 0;                          // convolutions: output channels
  std::int64_t units = 0;                            // dense, lstm, gru: outputs; embedding: width
  std::int64_t entries = 0;                          // embedding: numbers are below this
  std::int64_t groups = 1;                           // conv2d, group_norm; both divide the channels
  std::array<std::int64_t, 2> kernel{0, 0};          // convolutions, pools: height, width
  std::array<std::int64_t, 2> stride{1, 1};          // likewise; pools: the kernel unless given
  std::array<std::int64_t, 2> padding{0, 0};         // zeros on each side
  std::array<std::int64_t, 2> dilation{1, 1};        // conv2d
  std::array<std::int64_t, 2> output_padding{0, 0};  // conv_transpose2d: below the stride
  std::array<std::int64_t, 2> scale{2, 2};           // upsample
  Interpolation interpolation = Interpolation::kNearest;
  Shape shape{};                 // reshape: the output
  bool bias = true;              // convolutions, dense
  bool return_sequences = true;  // lstm, gru: every step's output, or the last one's
  double rate = 0;               // dropout: probability of a zero, in [0, 1)
  double slope = 0.01;           // leaky_relu: of the negative side
  double epsilon = 1e-5;         // norms: added to the variance
  double momentum = 0.1;         // batch_norm: the share of a batch in the running statistics

  Shape input{};   // of one sample, of the first input: [channels, height, width], [time, features]
                   // or [features]
  Shape output{};  // likewise
};

enum class LossType { kSoftmaxCrossEntropy, kBinaryCrossEntropy, kMse, kDice };

struct LossSpec {
  LossType type = LossType::kSoftmaxCrossEntropy;
  // Cross-entropies: the weight of each class (binary: of the positive ones, a value an output);
  // empty: all 1.
  std::vector<double> class_weights{};
};

enum class OptimizerType { kSgd, kAdam, kAdamW, kAdaGrad, kRmsProp };

enum class ScheduleType { kConstant, kStep, kCosine };

// How the learning rate moves from round to round: warm-up first, then the rest.
struct ScheduleSpec {
  ScheduleType type = ScheduleType::kConstant;
  std::int64_t warmup = 0;  // rounds in which it grows evenly to its full size
  std::int64_t every = 1;   // step: rounds between two steps
  double factor = 0.1;      // step: what each multiplies it with
  std::int64_t rounds = 1;  // cosine: until it has come down to `floor`
  double floor = 0;         // cosine: share of the full size
};

struct OptimizerSpec {
  OptimizerType type = OptimizerType::kSgd;
  double learning_rate = 0.01;
  double momentum = 0;                // sgd: v = momentum v + g; w -= lr v. rmsprop likewise
  bool nesterov = false;              // sgd: w -= lr (g + momentum v)
  double beta1 = 0.9, beta2 = 0.999;  // adam, adamw: Kingma, Ba 2015, algorithm 1
  double decay = 0.99;                // rmsprop: of the mean square
  double epsilon = 1e-8;
  double weight_decay = 0;  // added to the gradient: g + weight_decay w; adamw: w -= lr wd w
  double clip_norm = 0;     // the norm of all gradients together is at most this; 0: no limit
  double clip_value = 0;    // each gradient is within +- this; 0: no limit
  double proximal = 0;      // FedProx's mu (Li et al. 2020): g + mu (w - w of the round's model)
  ScheduleSpec schedule{};
};

// What layers compute in; parameters and what is exchanged are float32 in any case.
enum class Precision {
  kFloat32,
  kBfloat16,  // 8 bits of mantissa, sums in float32; where the processor can, else float32
};

struct NetworkSpec {
  Shape input_shape;  // of one sample, without the batch
  std::vector<LayerSpec> layers;
  LossSpec loss;
  OptimizerSpec optimizer;
  std::uint64_t seed = 1;  // of initial weights, shuffles and dropout
  int threads = 1;         // of one training task; part of the plan because sums depend on it.
                           // 0: as many as are free (core/base/cores.h) and it is worth

  Precision precision = Precision::kFloat32;

  const Shape& output() const { return layers.back().output; }
  // Classes to tell apart, for softmax_cross_entropy.
  std::int64_t num_classes() const;
};

// What a sample is held against, as its targets lie in a DataSet: of softmax_cross_entropy the
// class of each place of the output, which is {} for an output [classes], {height, width} for one
// of [classes, height, width] and {time} for [time, classes]; of all other losses the output's
// shape.
Shape TargetShape(const NetworkSpec& network);

// Fills in `inputs`, `input` and `output` of every layer. Refuses a network whose shapes do not
// fit, naming the layer and both shapes; `culprit`, if given, is then the place of the layer.
Status InferShapes(NetworkSpec& network, std::size_t* culprit = nullptr);
// The same for one layer, behind others that have theirs.
Status InferLayerShapes(NetworkSpec& network, std::size_t index);

// The parameters in exchange order: layer after layer, as PyTorch shapes and orders them,
// row-major.
//
//   conv2d            weight [filters, channels / groups, height, width], bias [filters]
//   conv_transpose2d  weight [channels, filters, height, width], bias [filters]
//   dense             weight [units, inputs], bias [units]
//   batch_norm        weight, bias, running_mean, running_var [channels]
//   layer_norm        weight, bias [last extent];  group_norm  weight, bias [channels]
//   embedding         weight [entries, units]
//   lstm              weight_ih [4 units, inputs], weight_hh [4 units, units], bias_ih, bias_hh
//                     [4 units]; gates i, f, g, o
//   gru               the same with 3; gates r, z, n
Layout ParameterLayout(const NetworkSpec& network);
// Of the first `layers` layers.
Layout ParameterLayout(const NetworkSpec& network, std::size_t layers);
// Of one layer, whose `input` is known.
Layout ParameterLayout(const LayerSpec& layer);

// Whether the optimizer moves the parameter: not running statistics, which are averaged all the
// same.
bool IsTrained(const std::string& parameter);

}  // namespace fx
