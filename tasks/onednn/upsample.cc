// upsample: each pixel becomes `scale` of them, copies (nearest) or blends of its neighbours
// (bilinear, corners not aligned: the centre of output pixel o lies at (o + 1/2) / scale - 1/2 of
// the input, and what lies beyond the border is the border).
//
// Over channels-last memory. The way back is plain loops: oneDNN's code for it knows no vectors.
#include <algorithm>
#include <vector>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

// What an output pixel takes along one axis: (1 - share) of `low` and `share` of `high`.
struct Blend {
  std::int64_t low = 0, high = 0;
  float share = 0;
};

std::vector<Blend> BlendsOf(const LayerSpec& spec, std::size_t axis) {
  const std::int64_t input = spec.input[axis + 1], output = spec.output[axis + 1];
  const std::int64_t scale = spec.scale[axis];
  std::vector<Blend> blends;
  for (std::int64_t o = 0; o < output; ++o) {
    if (spec.interpolation == Interpolation::kNearest) {
      blends.push_back({.low = o / scale, .high = o / scale});
      continue;
    }
    const double centre =
        std::max(0.0, (static_cast<double>(o) + 0.5) / static_cast<double>(scale) - 0.5);
    const auto low = static_cast<std::int64_t>(centre);
    blends.push_back({.low = low,
                      .high = std::min(low + 1, input - 1),
                      .share = static_cast<float>(centre - static_cast<double>(low))});
  }
  return blends;
}

// x += factor . y
void AddTo(std::int64_t channels, float factor, const float* y, float* x) {
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) x[c] += factor * y[c];
}

class Upsample final : public Layer {
 public:
  explicit Upsample(const LayerContext& at)
      : Layer(at),
        batch_(at.input().get_desc().dims()[0]),
        rows_(BlendsOf(at.spec, 0)),
        columns_(BlendsOf(at.spec, 1)) {
    const memory input =
        InLayout(at.context, at.input(), ChannelsLast(at.input().get_desc().dims()), forward_);
    output_ = LentMemory(at.context, ChannelsLast(BatchDims(batch_, at.spec.output)));
    const auto kind = at.spec.interpolation == Interpolation::kNearest
                          ? dnnl::algorithm::resampling_nearest
                          : dnnl::algorithm::resampling_linear;
    const dnnl::resampling_forward::primitive_desc desc(
        {dnnl::prop_kind::forward_training, kind, input.get_desc(), output_.get_desc()},
        Context::Attributes(), at.context.engine());
    forward_.push_back(MakeStep<dnnl::resampling_forward>(
        at_.context, desc, {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output_}}));
    Note("forward", desc.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    output_gradient_ = InLayout(at_.context, output_gradient, output_.get_desc(), backward_);
    input_gradient_ = LentMemory(at_.context, ChannelsLast(BatchDims(batch_, at_.spec.input)));
    Note("backward", "loops:channels_last");
  }

  void Backward(dnnl::stream& stream) override {
    Layer::Backward(stream);
    stream.wait();
    if (!input_gradient_) return;
    const std::int64_t from = NumElements(at_.spec.output), to = NumElements(at_.spec.input);
    const float* const dy = Floats(output_gradient_).data();
    float* const dx = Floats(input_gradient_).data();
#pragma omp parallel for schedule(static)
    for (std::int64_t n = 0; n < batch_; ++n) {
      std::fill_n(dx + n * to, to, 0.0F);
      BackwardSample(dy + n * from, dx + n * to);
    }
  }

 private:
  void BackwardSample(const float* dy, float* dx) const {
    for (const Blend& row : rows_) {
      BackwardRow(dy, 1 - row.share, dx + row.low * RowOf(at_.spec.input));
      if (row.share > 0) BackwardRow(dy, row.share, dx + row.high * RowOf(at_.spec.input));
      dy += RowOf(at_.spec.output);
    }
  }

  void BackwardRow(const float* dy, float factor, float* dx) const {
    const std::int64_t channels = at_.spec.input[0];
    for (const Blend& column : columns_) {
      AddTo(channels, factor * (1 - column.share), dy, dx + column.low * channels);
      if (column.share > 0) AddTo(channels, factor * column.share, dy, dx + column.high * channels);
      dy += channels;
    }
  }

  // Values in a row of an image.
  static std::int64_t RowOf(const Shape& image) {
    return image[2] * image[0];
  }

  const std::int64_t batch_;
  const std::vector<Blend> rows_, columns_;  // an output pixel
  memory output_gradient_;
};

}  // namespace

std::unique_ptr<Layer> MakeUpsample(const LayerContext& at) {
  return std::make_unique<Upsample>(at);
}

}  // namespace fx::onednn
