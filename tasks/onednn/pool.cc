// max_pool: the largest value of each window; padding never wins, and of equal values the first
// does.
//
// In plain loops over channels-last memory, the layout the convolutions around it work in, so that
// nothing is brought into another order between them.
#include <algorithm>
#include <vector>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

// The windows of one axis, clipped to the input.
struct Axis {
  std::int64_t input, output, kernel, stride, padding;

  std::int64_t begin(std::int64_t window) const {
    return std::max<std::int64_t>(0, window * stride - padding);
  }
  std::int64_t end(std::int64_t window) const {
    return std::min(input, window * stride - padding + kernel);
  }
};

// best = max(best, x), elementwise; `winner` remembers which tap it came from.
void Compete(std::int64_t channels, const float* x, std::int32_t tap, float* best,
             std::int32_t* winner) {
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) {
    const bool larger = x[c] > best[c];
    winner[c] = larger ? tap : winner[c];
    best[c] = larger ? x[c] : best[c];
  }
}

// x += gradient where the winner is `tap`.
void Reward(std::int64_t channels, const float* gradient, std::int32_t tap,
            const std::int32_t* winner, float* x) {
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) x[c] += winner[c] == tap ? gradient[c] : 0.0F;
}

class MaxPool final : public Layer {
 public:
  explicit MaxPool(const LayerContext& at)
      : Layer(at),
        batch_(at.input().get_desc().dims()[0]),
        channels_(at.spec.input[0]),
        rows_(AxisOf(0)),
        columns_(AxisOf(1)) {
    input_ =
        InLayout(at.context, at.input(), ChannelsLast(BatchDims(batch_, at.spec.input)), forward_);
    output_ = ZeroMemory(at.context, ChannelsLast(BatchDims(batch_, at.spec.output)));
    winners_.resize(Floats(output_).size());
    Note("forward", "loops:channels_last");
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    output_gradient_ = InLayout(at_.context, output_gradient, output_.get_desc(), backward_);
    input_gradient_ = ZeroMemory(at_.context, input_.get_desc());
    Note("backward", "loops:channels_last");
  }

  void Forward(dnnl::stream& stream, const DrawKey& key) override {
    Layer::Forward(stream, key);
    stream.wait();
    const float* const x = Floats(input_).data();
    float* const y = Floats(output_).data();
    ForEachTap([&](std::int64_t in, std::int64_t out, std::int32_t tap) {
      float* const best = y + out;
      std::int32_t* const winner = winners_.data() + out;
      if (tap == 0) {
        std::copy_n(x + in, channels_, best);
        std::fill_n(winner, channels_, tap);
      } else {
        Compete(channels_, x + in, tap, best, winner);
      }
    });
  }

  void Backward(dnnl::stream& stream) override {
    Layer::Backward(stream);
    stream.wait();
    if (!input_gradient_) return;
    const std::span<float> dx = Floats(input_gradient_);
    std::ranges::fill(dx, 0.0F);
    const float* const dy = Floats(output_gradient_).data();
    ForEachTap([&](std::int64_t in, std::int64_t out, std::int32_t tap) {
      Reward(channels_, dy + out, tap, winners_.data() + out, dx.data() + in);
    });
  }

 private:
  Axis AxisOf(std::size_t axis) const {
    const LayerSpec& spec = at_.spec;
    return {.input = spec.input[axis + 1],
            .output = spec.output[axis + 1],
            .kernel = spec.kernel[axis],
            .stride = spec.stride[axis],
            .padding = spec.padding[axis]};
  }

  // Calls body(offset of the input pixel, offset of the output pixel, tap) for each pixel of each
  // window; taps of a window count from 0. Samples are independent, so threads change no result.
  template <typename Body>
  void ForEachTap(Body body) const {
#pragma omp parallel for schedule(static)
    for (std::int64_t n = 0; n < batch_; ++n) {
      for (std::int64_t y = 0; y < rows_.output; ++y) {
        for (std::int64_t x = 0; x < columns_.output; ++x) ForWindow(n, y, x, body);
      }
    }
  }

  template <typename Body>
  void ForWindow(std::int64_t n, std::int64_t y, std::int64_t x, Body& body) const {
    const std::int64_t out = ((n * rows_.output + y) * columns_.output + x) * channels_;
    std::int32_t tap = 0;
    for (std::int64_t iy = rows_.begin(y); iy < rows_.end(y); ++iy) {
      for (std::int64_t ix = columns_.begin(x); ix < columns_.end(x); ++ix, ++tap) {
        body(((n * rows_.input + iy) * columns_.input + ix) * channels_, out, tap);
      }
    }
  }

  const std::int64_t batch_, channels_;
  const Axis rows_, columns_;
  memory input_, output_gradient_;
  std::vector<std::int32_t> winners_;  // an output element: the tap that won
};

}  // namespace

std::unique_ptr<Layer> MakeMaxPool(const LayerContext& at) {
  return std::make_unique<MaxPool>(at);
}

}  // namespace fx::onednn
