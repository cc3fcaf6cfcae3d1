// group_norm: each sample's channels fall into groups, and each group's values, of all pixels, are
// brought to mean 0 and variance 1, times a weight plus a bias a channel (Wu, He, "Group
// Normalization", 2018).
//
// In plain loops over channels-last memory, which oneDNN has no code for. All sums are taken a
// channel at a time, so that the inner loops go along the channels; groups then add up theirs:
//   x^ = (x - mean) / s,  s = sqrt(variance + epsilon),  y = w x^ + b
//   dx = (w dy - mean(w dy) - x^ mean(w dy x^)) / s,  means over the group
//   dw = sum(dy x^),  db = sum(dy)
// The mean of the squares is taken about the mean: a difference of large sums would lose it.
#include <algorithm>
#include <cmath>
#include <vector>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

// sum += x; likewise below.
void AddTo(std::int64_t channels, const float* x, float* sum) {
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) sum[c] += x[c];
}

void AddSquares(std::int64_t channels, const float* x, const float* mean, float* sum) {
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) sum[c] += (x[c] - mean[c]) * (x[c] - mean[c]);
}

void AddProducts(std::int64_t channels, const float* dy, const float* x, const float* mean,
                 float* sum, float* products) {
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) {
    sum[c] += dy[c];
    products[c] += dy[c] * (x[c] - mean[c]);
  }
}

class GroupNorm final : public Layer {
 public:
  explicit GroupNorm(const LayerContext& at)
      : Layer(at),
        weight_(PlainParameter("weight")),
        bias_(PlainParameter("bias")),
        batch_(at.input().get_desc().dims()[0]),
        channels_(at.spec.input[0]),
        pixels_(at.spec.input[1] * at.spec.input[2]),
        members_(channels_ / at.spec.groups) {
    const memory::desc layout = ChannelsLast(at.input().get_desc().dims());
    input_ = InLayout(at.context, at.input(), layout, forward_);
    output_ = at.may_overwrite && !at.training ? input_ : LentMemory(at.context, layout);
    for (auto* values : {&mean_, &scale_, &sums_, &products_}) {
      values->resize(static_cast<std::size_t>(batch_ * channels_));
    }
    Note("forward", "loops:channels_last");
  }

  void CompileBackward(const memory& output_gradient, bool) override {
    input_gradient_ = InLayout(at_.context, output_gradient, output_.get_desc(), backward_);
    Note("backward", "loops:channels_last");
  }

  void Forward(dnnl::stream& stream, const DrawKey& key) override {
    Layer::Forward(stream, key);
    stream.wait();
    const float* const x = Floats(input_).data();
    float* const y = Floats(output_).data();
#pragma omp parallel for schedule(static)
    for (std::int64_t n = 0; n < batch_; ++n) ForwardSample(n, x, y);
  }

  void Backward(dnnl::stream& stream) override {
    Layer::Backward(stream);
    stream.wait();
    const float* const x = Floats(input_).data();
    float* const dx = Floats(input_gradient_).data();
#pragma omp parallel for schedule(static)
    for (std::int64_t n = 0; n < batch_; ++n) BackwardSample(n, x, dx);
    SumOverSamples();
  }

 private:
  // Of a sample, [channels].
  float* Of(std::vector<float>& values, std::int64_t n) const {
    return values.data() + n * channels_;
  }

  // Calls body(offset of the pixel's channels) for each pixel of a sample.
  template <typename Body>
  void ForEachPixel(std::int64_t n, Body body) const {
    for (std::int64_t p = 0; p < pixels_; ++p) body((n * pixels_ + p) * channels_);
  }

  // Gives every channel the mean of its group's sums, a value.
  void ShareInGroups(float* sums) const {
    const auto values = static_cast<float>(members_ * pixels_);
    for (std::int64_t begin = 0; begin < channels_; begin += members_) {
      float sum = 0;
      for (std::int64_t c = begin; c < begin + members_; ++c) sum += sums[c];
      for (std::int64_t c = begin; c < begin + members_; ++c) sums[c] = sum / values;
    }
  }

  void ForwardSample(std::int64_t n, const float* x, float* y) {
    float* const mean = Of(mean_, n);
    float* const scale = Of(scale_, n);
    std::fill_n(mean, channels_, 0.0F);
    std::fill_n(scale, channels_, 0.0F);
    ForEachPixel(n, [&](std::int64_t at) { AddTo(channels_, x + at, mean); });
    ShareInGroups(mean);
    ForEachPixel(n, [&](std::int64_t at) { AddSquares(channels_, x + at, mean, scale); });
    ShareInGroups(scale);
    const auto epsilon = static_cast<float>(at_.spec.epsilon);
    for (std::int64_t c = 0; c < channels_; ++c) scale[c] = 1 / std::sqrt(scale[c] + epsilon);
    const float* const weight = Floats(weight_->value).data();
    const float* const bias = Floats(bias_->value).data();
    ForEachPixel(n, [&](std::int64_t at) {
#pragma omp simd
      for (std::int64_t c = 0; c < channels_; ++c) {
        y[at + c] = (x[at + c] - mean[c]) * scale[c] * weight[c] + bias[c];
      }
    });
  }

  // dx comes in as dy.
  void BackwardSample(std::int64_t n, const float* x, float* dx) {
    const float* const mean = Of(mean_, n);
    const float* const scale = Of(scale_, n);
    float* const sums = Of(sums_, n);
    float* const products = Of(products_, n);
    std::fill_n(sums, channels_, 0.0F);
    std::fill_n(products, channels_, 0.0F);
    ForEachPixel(
        n, [&](std::int64_t at) { AddProducts(channels_, dx + at, x + at, mean, sums, products); });
    const float* const weight = Floats(weight_->value).data();
    std::vector<float> shift(sums, sums + channels_), slope(products, products + channels_);
    const auto channels = static_cast<std::size_t>(channels_);
    for (std::size_t c = 0; c < channels; ++c) {
      shift[c] *= weight[c];
      slope[c] *= weight[c];
    }
    ShareInGroups(shift.data());
    ShareInGroups(slope.data());
    for (std::size_t c = 0; c < channels; ++c) slope[c] *= scale[c] * scale[c];
    ForEachPixel(n, [&](std::int64_t at) {
      const float *const a = shift.data(), *const b = slope.data();
#pragma omp simd
      for (std::int64_t c = 0; c < channels_; ++c) {
        const float centred = x[at + c] - mean[c];
        dx[at + c] = scale[c] * (weight[c] * dx[at + c] - a[c] - b[c] * centred);
      }
    });
  }

  // Of the parameters, over the samples in their order.
  void SumOverSamples() {
    const std::span<float> weight = Floats(weight_->gradient), bias = Floats(bias_->gradient);
    std::ranges::fill(weight, 0.0F);
    std::ranges::fill(bias, 0.0F);
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      weight[i % weight.size()] += products_[i] * scale_[i];
      bias[i % bias.size()] += sums_[i];
    }
  }

  Parameter *const weight_, *const bias_;
  const std::int64_t batch_, channels_, pixels_, members_;  // members: channels of a group
  memory input_;
  std::vector<float> mean_, scale_;     // [batch, channels]; scale: 1 / s
  std::vector<float> sums_, products_;  // [batch, channels], of dy and of dy (x - mean)
};

}  // namespace

std::unique_ptr<Layer> MakeGroupNorm(const LayerContext& at) {
  return std::make_unique<GroupNorm>(at);
}

}  // namespace fx::onednn
