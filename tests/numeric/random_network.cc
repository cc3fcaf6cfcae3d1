#include "tests/numeric/random_network.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <numeric>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "core/base/random.h"
#include "tests/numeric/network_words.h"

namespace fx::test {
namespace {

constexpr std::array kLosses = {LossType::kSoftmaxCrossEntropy, LossType::kBinaryCrossEntropy,
                                LossType::kMse, LossType::kDice};
constexpr std::array kOptimizers = {OptimizerType::kSgd, OptimizerType::kAdam,
                                    OptimizerType::kAdamW, OptimizerType::kAdaGrad,
                                    OptimizerType::kRmsProp};

constexpr std::int64_t kMaxValues = 4096;  // of one sample, anywhere
constexpr int kAttempts = 40;

class Drawer {
 public:
  explicit Drawer(std::uint64_t seed) : draws_(seed, "random network"), kind_(seed % 3) {}

  NetworkSpec Draw() {
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      network_ = {};
      head_ = kNetworkInput;
      DrawInput();
      const std::int64_t blocks = Between(1, 5);
      for (std::int64_t i = 0; i < blocks; ++i) Together([&] { return Block(); });
      if (!Finish()) continue;
      DrawLoss();
      network_.optimizer = DrawOptimizer();
      network_.threads = static_cast<int>(Between(1, 2));
      if (InferShapes(network_)) return network_;
    }
    FX_CHECK(false);
    return {};
  }

 private:
  // --- Draws ---
  std::int64_t Between(std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(draws_.Below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool Chance(std::uint64_t percent) { return draws_.Below(100) < percent; }
  template <typename T>
  T OneOf(std::initializer_list<T> all) {
    return all.begin()[draws_.Below(all.size())];
  }
  template <typename Known>
  auto Any(const Known& known) {
    return known[draws_.Below(known.size())];
  }
  std::int64_t DivisorOf(std::int64_t number) {
    std::vector<std::int64_t> divisors;
    for (std::int64_t d = 1; d <= number; ++d) {
      if (number % d == 0) divisors.push_back(d);
    }
    return Any(divisors);
  }
  // Beside few channels at times so many that they fill a block of the library's layouts.
  std::int64_t Width() { return Chance(25) ? Between(15, 33) : Between(1, 8); }

  // --- The network so far ---
  const Shape& shape() const {
    return head_ == kNetworkInput ? network_.input_shape
                                  : network_.layers[static_cast<std::size_t>(head_)].output;
  }
  bool image() const { return shape().size() == 3; }
  bool sequence() const { return shape().size() == 2; }
  std::int64_t width() const { return image() ? shape().front() : shape().back(); }

  // Puts it behind the head, unless it says what it reads. False: it does not fit; nothing has
  // changed.
  bool Add(LayerSpec layer) {
    const std::size_t index = network_.layers.size();
    layer.name = format("{}{}", WordOf(layer.type), index);
    if (layer.inputs.empty()) layer.inputs = {head_};
    network_.layers.push_back(std::move(layer));
    if (!InferLayerShapes(network_, index) ||
        NumElements(network_.layers[index].output) > kMaxValues) {
      network_.layers.pop_back();
      return false;
    }
    head_ = static_cast<std::int64_t>(index);
    return true;
  }
  bool Add(LayerType type) { return Add({.type = type, .name = {}}); }

  // All of it, or nothing.
  template <typename Body>
  bool Together(Body body) {
    const std::size_t size = network_.layers.size();
    const std::int64_t head = head_;
    if (body()) return true;
    network_.layers.resize(size);
    head_ = head;
    return false;
  }

  void DrawInput() {
    const std::array<Shape, 3> shapes = {Shape{Width(), Between(5, 14), Between(5, 14)},
                                         Shape{Between(2, 7), Width()}, Shape{Between(2, 40)}};
    network_.input_shape = shapes[kind_];
    if (kind_ != 1) return;
    const std::int64_t time = Between(2, 7);
    const LayerSpec embedding = {
        .type = LayerType::kEmbedding, .name = {}, .units = Width(), .entries = Between(3, 12)};
    if (!Chance(60)) return;
    network_.input_shape = {time};
    if (!Add(embedding)) network_.input_shape = shapes[1];
  }

  // --- Layers ---
  LayerSpec Conv() {
    const std::int64_t groups = Chance(50) ? 1 : DivisorOf(width());
    LayerSpec conv = {.type = LayerType::kConv2d, .name = {}, .groups = groups};
    conv.filters = groups == 1 ? Width() : groups * Between(1, 3);
    for (const std::size_t axis : {0U, 1U}) {
      conv.kernel[axis] = Between(1, 4);
      conv.stride[axis] = Between(1, 2);
      conv.dilation[axis] = Chance(70) ? 1 : 2;
      conv.padding[axis] = Between(0, conv.kernel[axis] - 1);
    }
    conv.bias = Chance(70);
    return conv;
  }
  LayerSpec ConvTranspose() {
    LayerSpec conv = {.type = LayerType::kConvTranspose2d, .name = {}, .filters = Width()};
    for (const std::size_t axis : {0U, 1U}) {
      conv.kernel[axis] = Between(1, 4);
      conv.stride[axis] = Between(1, 3);
      conv.padding[axis] = Between(0, conv.kernel[axis] - 1);
      conv.output_padding[axis] = Between(0, conv.stride[axis] - 1);
    }
    conv.bias = Chance(70);
    return conv;
  }
  LayerSpec Pool() {
    LayerSpec pool = {.type = OneOf({LayerType::kMaxPool, LayerType::kAvgPool}), .name = {}};
    for (const std::size_t axis : {0U, 1U}) {
      pool.kernel[axis] = Between(1, 3);
      pool.stride[axis] = Chance(60) ? pool.kernel[axis] : Between(1, 3);
      // PyTorch's limit: half the kernel.
      pool.padding[axis] = Chance(70) ? 0 : pool.kernel[axis] / 2;
    }
    return pool;
  }
  LayerSpec Upsample() {
    return {.type = LayerType::kUpsample,
            .name = {},
            .scale = {Between(1, 3), Between(1, 3)},
            .interpolation = OneOf({Interpolation::kNearest, Interpolation::kBilinear})};
  }
  LayerSpec Recurrent(std::int64_t units, bool sequences) {
    return {.type = OneOf({LayerType::kLstm, LayerType::kGru}),
            .name = {},
            .units = units,
            .return_sequences = sequences};
  }
  LayerSpec Norm() {
    LayerSpec norm = {.type = OneOf({LayerType::kBatchNorm, LayerType::kGroupNorm}), .name = {}};
    if (sequence() || (!image() && Chance(50))) norm.type = LayerType::kLayerNorm;
    if (norm.type == LayerType::kGroupNorm) norm.groups = DivisorOf(width());
    norm.epsilon = OneOf({1e-5, 1e-3});
    norm.momentum = OneOf({0.1, 0.3});
    return norm;
  }
  LayerSpec Activation() {
    return {.type = OneOf({LayerType::kRelu, LayerType::kRelu, LayerType::kLeakyRelu,
                           LayerType::kGelu, LayerType::kSilu, LayerType::kTanh,
                           LayerType::kSigmoid, LayerType::kSoftmax}),
            .name = {},
            .slope = OneOf({0.01, 0.2})};
  }
  LayerSpec Dense(std::int64_t units) {
    return {.type = LayerType::kDense, .name = {}, .units = units, .bias = Chance(80)};
  }

  // --- Blocks ---
  bool Block() {
    switch (Between(0, 6)) {
      case 0:
      case 1:
        return Main();
      case 2:
        return Add(Norm());
      case 3:
        return Add(Activation());
      case 4:
        return Residual();
      case 5:
        return Concat();
      default:
        return Chance(50) ? Add(LayerType::kDropout) : Reshape();
    }
  }
  bool Main() {
    if (image()) {
      switch (Between(0, 5)) {
        case 0:
          return Add(ConvTranspose());
        case 1:
          return Add(Pool());
        case 2:
          return Add(Upsample());
        default:
          return Add(Conv()) && (Chance(50) || Add(Activation()));
      }
    }
    if (sequence() && Chance(60)) return Add(Recurrent(Width(), true));
    return Add(Dense(Width())) && (Chance(50) || Add(Activation()));
  }
  // A layer whose output differs from its input in the width only.
  bool Keep(std::int64_t width) {
    if (sequence() && Chance(50)) return Add(Recurrent(width, true));
    if (!image()) return Add(Dense(width));
    const std::int64_t padding = Between(0, 1);
    return Add({.type = LayerType::kConv2d,
                .name = {},
                .filters = width,
                .kernel = {2 * padding + 1, 2 * padding + 1},
                .padding = {padding, padding}});
  }
  bool Residual() {
    const std::int64_t from = head_;
    if (!Keep(width()) || (Chance(50) && !Add(Activation()))) return false;
    std::vector<std::int64_t> inputs = {head_, from};
    if (Chance(30)) std::swap(inputs[0], inputs[1]);
    if (Chance(20)) inputs.push_back(from);
    return Add({.type = LayerType::kAdd, .name = {}, .inputs = inputs});
  }
  bool Concat() {
    const std::int64_t from = head_;
    if (!Keep(sequence() ? width() : Width())) return false;
    std::vector<std::int64_t> inputs = {head_, from};
    if (Chance(50)) {
      head_ = from;
      if (!Keep(sequence() ? width() : Width())) return false;
      inputs.push_back(head_);
      if (Chance(50)) std::swap(inputs[1], inputs[2]);
    }
    return Add({.type = LayerType::kConcat, .name = {}, .inputs = inputs});
  }
  bool Reshape() {
    const Shape was = shape();
    Shape shape = {NumElements(was)};
    if (was.size() == 1) {
      const std::int64_t rows = DivisorOf(was[0]);
      shape = {rows, was[0] / rows};
      if (Chance(50)) shape.push_back(1);
    } else if (was.size() == 3) {
      shape = {was[0] * was[1], was[2]};
    }
    return Add({.type = LayerType::kReshape, .name = {}, .shape = shape});
  }

  // To logits, or to whatever the loss takes.
  bool Finish() {
    const std::int64_t classes = Between(2, 6);
    if (shape().size() > 1 && Chance(40)) return Keep(classes);
    if (sequence() && Chance(60)) {
      Together([&] { return Add(Recurrent(Width(), false)); });
    }
    if (image() && Chance(40)) Add(LayerType::kGlobalAvgPool);
    if (shape().size() > 1 && !Add(LayerType::kFlatten)) return false;
    if (Chance(40) && !(Add(Dense(Width())) && Add(LayerType::kRelu))) return false;
    return Add(Dense(classes));
  }

  void DrawLoss() {
    network_.loss.type = Any(kLosses);
    const bool weighted = network_.loss.type == LossType::kSoftmaxCrossEntropy ||
                          network_.loss.type == LossType::kBinaryCrossEntropy;
    if (!weighted || Chance(60)) return;
    for (std::int64_t i = 0; i < network_.num_classes(); ++i) {
      network_.loss.class_weights.push_back(static_cast<double>(Between(1, 8)) / 4);
    }
  }

  OptimizerSpec DrawOptimizer() {
    OptimizerSpec optimizer = {.type = Any(kOptimizers)};
    const bool plain = optimizer.type == OptimizerType::kSgd;
    const bool momentum = plain || optimizer.type == OptimizerType::kRmsProp;
    optimizer.learning_rate = plain ? 0.05 : 0.003;
    if (momentum && Chance(60)) optimizer.momentum = 0.9;
    if (plain && optimizer.momentum > 0) optimizer.nesterov = Chance(50);
    if (Chance(40)) optimizer.weight_decay = 0.05;
    if (Chance(20)) optimizer.clip_norm = 0.3;
    // Its gradients grow with the outputs, and those of a residual network are large: without a
    // limit, some do not survive three steps.
    if (plain && network_.loss.type == LossType::kMse) optimizer.clip_norm = 1;
    if (Chance(20)) optimizer.clip_value = 0.02;
    if (Chance(20)) optimizer.proximal = 0.5;
    if (Chance(40)) optimizer.schedule = DrawSchedule();
    return optimizer;
  }
  // Within three rounds of which something happens.
  ScheduleSpec DrawSchedule() {
    return {.type = OneOf({ScheduleType::kConstant, ScheduleType::kStep, ScheduleType::kCosine}),
            .warmup = Between(0, 2),
            .every = Between(1, 2),
            .factor = 0.3,
            .rounds = Between(2, 4),
            .floor = OneOf({0.0, 0.2})};
  }

  RandomStream draws_;
  const std::size_t kind_;
  NetworkSpec network_;
  std::int64_t head_ = kNetworkInput;
};

}  // namespace

NetworkSpec RandomNetwork(std::uint64_t seed) {
  return Drawer(seed).Draw();
}

}  // namespace fx::test
