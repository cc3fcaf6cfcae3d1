#include "tasks/onednn/loss.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "tasks/onednn/fast_exp.h"

namespace fx::onednn {
namespace {

std::vector<float> ClassWeights(const NetworkSpec& network, std::size_t classes) {
  const std::vector<double>& given = network.loss.class_weights;
  FX_CHECK(given.empty() || given.size() == classes);
  if (given.empty()) return std::vector<float>(classes, 1.0F);
  return {given.begin(), given.end()};
}

struct Softmax {
  double log_sum = 0;  // log(sum_j exp(z_j))
  float scale = 0;     // what the exponentials are to be multiplied by to become probabilities
};

// Shifted by the largest, so that nothing overflows.
Softmax Exponentials(const float* z, std::size_t classes, float* exponentials) {
  float shift = z[0];
  for (std::size_t j = 1; j < classes; ++j) shift = std::max(shift, z[j]);
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t j = 0; j < classes; ++j) {
    exponentials[j] = FastExp(z[j] - shift);
    sum += exponentials[j];
  }
  return {.log_sum = std::log(static_cast<double>(sum)) + shift, .scale = 1 / sum};
}

LossSum SquaredError(std::span<const float> outputs, std::span<const float> targets,
                     std::span<float> gradient) {
  const float scale = 2.0F / static_cast<float>(outputs.size());
  double sum = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const double difference = static_cast<double>(outputs[i]) - targets[i];
    sum += difference * difference;
  }
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = scale * (outputs[i] - targets[i]);
  }
  return {.sum = sum, .weight = static_cast<double>(outputs.size())};
}

}  // namespace

Loss::Loss(const NetworkSpec& network)
    : type_(network.loss.type),
      axes_(network.output()),
      class_weights_(ClassWeights(network, axes_.classes)) {}

LossSum Loss::Measure(std::span<const float> outputs, std::span<const float> targets,
                      std::span<float> gradient) const {
  FX_CHECK(gradient.empty() || gradient.size() == outputs.size());
  switch (type_) {
    case LossType::kSoftmaxCrossEntropy:
      return SoftmaxCrossEntropy(outputs, targets, gradient);
    case LossType::kBinaryCrossEntropy:
      return BinaryCrossEntropy(outputs, targets, gradient);
    case LossType::kMse:
      return SquaredError(outputs, targets, gradient);
    case LossType::kDice:
      return Dice(outputs, targets, gradient);
  }
  FX_CHECK(false);
}

LossSum Loss::SoftmaxCrossEntropy(std::span<const float> outputs, std::span<const float> targets,
                                  std::span<float> gradient) const {
  LossSum loss;
  for (const float target : targets) {
    const auto label = static_cast<std::size_t>(target);
    FX_CHECK(label < axes_.classes);
    loss.weight += class_weights_[label];
  }
  const double share = loss.weight > 0 ? 1 / loss.weight : 0;
  std::vector<float> z(axes_.classes), e(axes_.classes);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::size_t begin =
        i / axes_.places * axes_.size() + i % axes_.places * axes_.place_stride;
    const auto label = static_cast<std::size_t>(targets[i]);
    for (std::size_t j = 0; j < z.size(); ++j) z[j] = outputs[begin + j * axes_.class_stride];
    const Softmax softmax = Exponentials(z.data(), z.size(), e.data());
    loss.sum += class_weights_[label] * (softmax.log_sum - z[label]);
    if (gradient.empty()) continue;
    const auto scale = static_cast<float>(class_weights_[label] * share);
    e[label] -= 1 / softmax.scale;
    for (std::size_t j = 0; j < e.size(); ++j) {
      gradient[begin + j * axes_.class_stride] = e[j] * softmax.scale * scale;
    }
  }
  return loss;
}

LossSum Loss::BinaryCrossEntropy(std::span<const float> outputs, std::span<const float> targets,
                                 std::span<float> gradient) const {
  const float share = 1.0F / static_cast<float>(outputs.size());
  LossSum loss = {.sum = 0, .weight = static_cast<double>(outputs.size())};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const float z = outputs[i], t = targets[i];
    const float weight = class_weights_[i / axes_.class_stride % axes_.classes];
    const float positive = 1 + (weight - 1) * t;
    const float e = FastExp(-std::abs(z));
    loss.sum += (1 - t) * z + positive * (std::log1p(e) + std::max(-z, 0.0F));
    // sigmoid(z) - 1 = -sigmoid(-z)
    if (!gradient.empty()) gradient[i] = share * ((1 - t) - positive * FastSigmoid(-z));
  }
  return loss;
}

LossSum Loss::Dice(std::span<const float> outputs, std::span<const float> targets,
                   std::span<float> gradient) const {
  const std::size_t regions = outputs.size() / axes_.places;
  const auto share = 1.0 / static_cast<double>(regions);
  LossSum loss = {.sum = 0, .weight = static_cast<double>(regions)};
  for (std::size_t region = 0; region < regions; ++region) {
    const std::size_t begin =
        region / axes_.classes * axes_.size() + region % axes_.classes * axes_.class_stride;
    double both = 1, all = 1;
    for (std::size_t place = 0; place < axes_.places; ++place) {
      const std::size_t i = begin + place * axes_.place_stride;
      const float p = FastSigmoid(outputs[i]);
      both += 2.0 * p * targets[i];
      all += static_cast<double>(p) + targets[i];
    }
    loss.sum += 1 - both / all;
    if (gradient.empty()) continue;
    const auto base = static_cast<float>(share * both / (all * all));
    const auto slope = static_cast<float>(-2 * share / all);
    for (std::size_t place = 0; place < axes_.places; ++place) {
      const std::size_t i = begin + place * axes_.place_stride;
      const float p = FastSigmoid(outputs[i]);
      gradient[i] = (base + slope * targets[i]) * p * FastSigmoid(-outputs[i]);
    }
  }
  return loss;
}

}  // namespace fx::onednn
