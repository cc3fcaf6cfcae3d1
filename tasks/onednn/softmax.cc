// softmax: exp(x) / sum(exp(x)) over the channels of each pixel, or over features. The channels lie
// last, and the way back is plain loops: oneDNN has only reference code for it.
#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

// dx = y (dy - y . dy), a row; dx may be dy.
void BackwardRow(std::int64_t extent, const float* y, const float* dy, float* dx) {
  float dot = 0;
#pragma omp simd reduction(+ : dot)
  for (std::int64_t i = 0; i < extent; ++i) dot += y[i] * dy[i];
#pragma omp simd
  for (std::int64_t i = 0; i < extent; ++i) dx[i] = y[i] * (dy[i] - dot);
}

class Softmax final : public Layer {
 public:
  explicit Softmax(const LayerContext& at) : Layer(at) {
    const memory::dims dims = at.input().get_desc().dims();
    const memory::desc layout = dims.size() == 4 ? ChannelsLast(dims) : PlainDesc(dims);
    // Of [batch, channels, height, width], [batch, features] and [batch, time, features].
    const int axis = dims.size() == 3 ? 2 : 1;
    extent_ = dims[static_cast<std::size_t>(axis)];
    const memory input = InLayout(at.context, at.input(), layout, forward_);
    output_ = at.may_overwrite ? input : LentMemory(at.context, layout);
    const dnnl::softmax_forward::primitive_desc desc(
        {dnnl::prop_kind::forward_training, layout, axis}, Context::Attributes(),
        at.context.engine());
    forward_.push_back(MakeStep<dnnl::softmax_forward>(
        at_.context, desc, {{DNNL_ARG_SRC, input}, {DNNL_ARG_DST, output_}}));
    Note("forward", desc.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    input_gradient_ = InLayout(at_.context, output_gradient, output_.get_desc(), backward_);
    Note("backward", "loops:channels_last");
  }

  void Backward(dnnl::stream& stream) override {
    Layer::Backward(stream);
    stream.wait();
    if (!input_gradient_) return;
    const float* const y = Floats(output_).data();
    const std::span<float> dx = Floats(input_gradient_);
    const std::int64_t rows = std::ssize(dx) / extent_;
#pragma omp parallel for schedule(static)
    for (std::int64_t row = 0; row < rows; ++row) {
      float* const at = dx.data() + row * extent_;
      BackwardRow(extent_, y + row * extent_, at, at);
    }
  }

  bool needs_output() const override {
    return at_.training;
  }

 private:
  std::int64_t extent_ = 1;  // of the axis
};

}  // namespace

std::unique_ptr<Layer> MakeSoftmax(const LayerContext& at) {
  return std::make_unique<Softmax>(at);
}

}  // namespace fx::onednn
