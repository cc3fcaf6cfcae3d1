#include "tasks/onednn/loss.h"

#include <algorithm>
#include <array>
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
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const double difference = static_cast<double>(outputs[i]) - targets[i];
    sum += difference * difference;
  }
#pragma omp simd
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    gradient[i] = scale * (outputs[i] - targets[i]);
  }
  return {.sum = sum, .weight = static_cast<double>(outputs.size())};
}

// Of elements whose class has one weight. Both softplus and both sigmoids are computed, for one of
// them as a difference would lose all digits of a small loss.
double CrossEntropy(const float* z, const float* t, std::size_t size, float weight) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::size_t i = 0; i < size; ++i) {
    const float above = z[i] > 0 ? z[i] : 0;
    const float log = FastLog1p(FastExp(-std::abs(z[i])));
    sum += weight * t[i] * (above - z[i] + log) + (1 - t[i]) * (above + log);
  }
  return sum;
}

void CrossEntropyGradient(const float* z, const float* t, std::size_t size, float weight,
                          float share, float* gradient) {
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) {
    const float e = FastExp(-std::abs(z[i])), all = share / (1 + e);
    const float p = z[i] < 0 ? e : 1, q = z[i] < 0 ? 1 : e;
    gradient[i] = ((1 - t[i]) * p - weight * t[i] * q) * all;
  }
}

struct Overlap {
  double both = 0, all = 0;  // sum(p t) and sum(p) + sum(t)
};

// A constant stride is what makes vector code of it; 0 is any.
template <std::size_t kStride>
Overlap Measured(const float* z, const float* t, std::size_t places, std::size_t any) {
  const std::size_t stride = kStride == 0 ? any : kStride;
  double both = 0, all = 0;
#pragma omp simd reduction(+ : both, all)
  for (std::size_t i = 0; i < places; ++i) {
    const float p = FastSigmoid(z[i * stride]), target = t[i * stride];
    both += static_cast<double>(p) * target;
    all += static_cast<double>(p) + target;
  }
  return {.both = both, .all = all};
}

// Of 1 - both / all, times `share`.
template <std::size_t kStride>
void DiceGradient(const float* z, const float* t, std::size_t places, std::size_t any,
                  const Overlap& overlap, double share, float* gradient) {
  const std::size_t stride = kStride == 0 ? any : kStride;
  const auto base = static_cast<float>(share * overlap.both / (overlap.all * overlap.all));
  const auto slope = static_cast<float>(-2 * share / overlap.all);
#pragma omp simd
  for (std::size_t i = 0; i < places; ++i) {
    const float e = FastExp(-std::abs(z[i * stride]));
    gradient[i * stride] = (base + slope * t[i * stride]) * e / ((1 + e) * (1 + e));
  }
}

// As many places as fit the first-level cache with a few values each.
constexpr std::size_t kTile = 256;

}  // namespace

// Of the places of a tile, whose classes lie far apart.
struct Loss::Tile {
  std::array<float, kTile> shift;  // the largest logit
  std::array<float, kTile> sum;    // of the exponentials of what is left without it
  std::array<float, kTile> log;    // of that sum
  std::array<float, kTile> scale;
};

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

double Loss::WeightOf(std::span<const float> labels) const {
  double weight = 0;
  for (const float target : labels) {
    const auto label = static_cast<std::size_t>(target);
    FX_CHECK(label < axes_.classes);
    weight += class_weights_[label];
  }
  return weight;
}

LossSum Loss::SoftmaxCrossEntropy(std::span<const float> outputs, std::span<const float> targets,
                                  std::span<float> gradient) const {
  LossSum loss = {.sum = 0, .weight = WeightOf(targets)};
  const double share = loss.weight > 0 ? 1 / loss.weight : 0;
  const std::size_t samples = targets.size() / axes_.places;
  for (std::size_t sample = 0; sample < samples; ++sample) {
    const std::span<const float> z = outputs.subspan(sample * axes_.size(), axes_.size());
    const std::span<const float> labels = targets.subspan(sample * axes_.places, axes_.places);
    float* const d = gradient.empty() ? nullptr : gradient.data() + sample * axes_.size();
    loss.sum += axes_.class_stride == 1 ? OfRows(z.data(), labels, share, d)
                                        : OfPlanes(z.data(), labels, share, d);
  }
  return loss;
}

double Loss::OfRows(const float* z, std::span<const float> labels, double share,
                    float* gradient) const {
  std::vector<float> e(axes_.classes);
  double sum = 0;
  for (std::size_t place = 0; place < labels.size(); ++place, z += axes_.classes) {
    const auto label = static_cast<std::size_t>(labels[place]);
    const Softmax softmax = Exponentials(z, e.size(), e.data());
    sum += class_weights_[label] * (softmax.log_sum - z[label]);
    if (gradient == nullptr) continue;
    const float scale = softmax.scale * static_cast<float>(class_weights_[label] * share);
    e[label] -= 1 / softmax.scale;
    for (std::size_t j = 0; j < e.size(); ++j) gradient[j] = e[j] * scale;
    gradient += axes_.classes;
  }
  return sum;
}

double Loss::OfPlanes(const float* z, std::span<const float> labels, double share,
                      float* gradient) const {
  double sum = 0;
  Tile tile;
  for (std::size_t begin = 0; begin < labels.size(); begin += kTile) {
    const std::span<const float> part =
        labels.subspan(begin, std::min(kTile, labels.size() - begin));
    sum += OfTile(z + begin, part, share, tile, gradient == nullptr ? nullptr : gradient + begin);
  }
  return sum;
}

// Shift, sum and log; and the exponentials where the gradient comes to be.
void Loss::Exponentiate(const float* z, std::size_t size, Tile& tile, float* gradient) const {
  std::copy_n(z, size, tile.shift.begin());
  for (std::size_t j = 1; j < axes_.classes; ++j) {
    const float* const plane = z + j * axes_.class_stride;
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) {
      tile.shift[i] = tile.shift[i] < plane[i] ? plane[i] : tile.shift[i];
    }
  }
  tile.sum.fill(0);
  for (std::size_t j = 0; j < axes_.classes; ++j) {
    const float* const plane = z + j * axes_.class_stride;
    float* const e = gradient == nullptr ? tile.scale.data() : gradient + j * axes_.class_stride;
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) {
      e[i] = FastExp(plane[i] - tile.shift[i]);
      tile.sum[i] += e[i];
    }
  }
#pragma omp simd
  for (std::size_t i = 0; i < size; ++i) tile.log[i] = FastLog(tile.sum[i]);
}

double Loss::OfTile(const float* z, std::span<const float> labels, double share, Tile& tile,
                    float* gradient) const {
  const std::size_t size = labels.size(), stride = axes_.class_stride;
  Exponentiate(z, size, tile, gradient);
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    const float weight = class_weights_[label];
    sum += weight * (static_cast<double>(tile.log[i]) + tile.shift[i] - z[label * stride + i]);
    if (gradient == nullptr) continue;
    gradient[label * stride + i] -= tile.sum[i];
    tile.scale[i] = static_cast<float>(weight * share) / tile.sum[i];
  }
  if (gradient == nullptr) return sum;
  for (std::size_t j = 0; j < axes_.classes; ++j) {
    float* const plane = gradient + j * stride;
#pragma omp simd
    for (std::size_t i = 0; i < size; ++i) plane[i] *= tile.scale[i];
  }
  return sum;
}

LossSum Loss::BinaryCrossEntropy(std::span<const float> outputs, std::span<const float> targets,
                                 std::span<float> gradient) const {
  const float share = 1.0F / static_cast<float>(outputs.size());
  LossSum loss = {.sum = 0, .weight = static_cast<double>(outputs.size())};
  // As many as have one class.
  const bool same = std::ranges::all_of(class_weights_, [](float weight) { return weight == 1; });
  const std::size_t run = same ? outputs.size() : axes_.class_stride;
  for (std::size_t i = 0; i < outputs.size(); i += run) {
    const float weight = class_weights_[i / axes_.class_stride % axes_.classes];
    loss.sum += CrossEntropy(&outputs[i], &targets[i], run, weight);
    if (gradient.empty()) continue;
    CrossEntropyGradient(&outputs[i], &targets[i], run, weight, share, &gradient[i]);
  }
  return loss;
}

LossSum Loss::Dice(std::span<const float> outputs, std::span<const float> targets,
                   std::span<float> gradient) const {
  const std::size_t regions = outputs.size() / axes_.places, stride = axes_.place_stride;
  const auto share = 1.0 / static_cast<double>(regions);
  const auto measured = stride == 1 ? Measured<1> : Measured<0>;
  const auto put_gradient = stride == 1 ? DiceGradient<1> : DiceGradient<0>;
  LossSum loss = {.sum = 0, .weight = static_cast<double>(regions)};
  for (std::size_t region = 0; region < regions; ++region) {
    const std::size_t begin =
        region / axes_.classes * axes_.size() + region % axes_.classes * axes_.class_stride;
    Overlap overlap = measured(&outputs[begin], &targets[begin], axes_.places, stride);
    overlap = {.both = 2 * overlap.both + 1, .all = overlap.all + 1};
    loss.sum += 1 - overlap.both / overlap.all;
    if (gradient.empty()) continue;
    put_gradient(&outputs[begin], &targets[begin], axes_.places, stride, overlap, share,
                 &gradient[begin]);
  }
  return loss;
}

}  // namespace fx::onednn
