// max_pool: the largest value of each window; padding never wins, and of equal values the first
// does. avg_pool: the mean of each window, padding counting as zeros; global_avg_pool: that of the
// whole image, [channels, height, width] to [channels]. Channels-last, as the convolutions around
// them.
#include <utility>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

struct Windows {
  memory::dims kernel, strides, padding;
  const memory::dims dilation{0, 0};  // oneDNN's 0 is dense
};

Windows WindowsOf(const LayerSpec& spec) {
  if (spec.type == LayerType::kGlobalAvgPool) {
    return {.kernel = {spec.input[1], spec.input[2]}, .strides = {1, 1}, .padding = {0, 0}};
  }
  return {.kernel = {spec.kernel[0], spec.kernel[1]},
          .strides = {spec.stride[0], spec.stride[1]},
          .padding = {spec.padding[0], spec.padding[1]}};
}

class Pool final : public Layer {
 public:
  explicit Pool(const LayerContext& at)
      : Layer(at),
        algorithm_(at.spec.type == LayerType::kMaxPool
                       ? dnnl::algorithm::pooling_max
                       : dnnl::algorithm::pooling_avg_include_padding),
        windows_(WindowsOf(at.spec)),
        source_(ChannelsLast(at.input().get_desc().dims(), TypeOf(at.input()))),
        pooled_(PooledDesc()),
        plain_(PlainDesc(BatchDims(source_.dims()[0], at.spec.output), source_.data_type())),
        forward_desc_(ForwardDesc()) {
    const memory to = LentMemory(at.context, pooled_);
    Arguments arguments = {{DNNL_ARG_SRC, InLayout(at.context, at.input(), source_, forward_)},
                           {DNNL_ARG_DST, to}};
    if (remembers()) {
      workspace_ = LentMemory(at.context, forward_desc_.workspace_desc());
      arguments[DNNL_ARG_WORKSPACE] = workspace_;
    }
    forward_.push_back(
        MakeStep<dnnl::pooling_v2_forward>(at_.context, forward_desc_, std::move(arguments)));
    output_ = global() ? View(to, plain_) : to;
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    const dnnl::pooling_v2_backward::primitive_desc desc(
        {algorithm_, source_, pooled_, windows_.strides, windows_.kernel, windows_.dilation,
         windows_.padding, windows_.padding},
        Context::Attributes(), at_.context.engine(), forward_desc_);
    const memory from =
        InLayout(at_.context, output_gradient, global() ? plain_ : pooled_, backward_);
    input_gradient_ = LentMemory(at_.context, source_);
    Arguments arguments = {{DNNL_ARG_DIFF_DST, View(from, pooled_)},
                           {DNNL_ARG_DIFF_SRC, input_gradient_}};
    if (remembers()) arguments[DNNL_ARG_WORKSPACE] = workspace_;
    backward_.push_back(
        MakeStep<dnnl::pooling_v2_backward>(at_.context, desc, std::move(arguments)));
    Note("backward", desc.impl_info_str());
  }

 private:
  bool global() const { return at_.spec.type == LayerType::kGlobalAvgPool; }

  // Which pixel won each window.
  bool remembers() const { return at_.training && at_.spec.type == LayerType::kMaxPool; }

  // [batch, channels, 1, 1] with channels last is [batch, channels], row-major.
  memory::desc PooledDesc() const {
    memory::dims dims = BatchDims(source_.dims()[0], at_.spec.output);
    dims.resize(4, 1);
    return ChannelsLast(dims, source_.data_type());
  }

  dnnl::pooling_v2_forward::primitive_desc ForwardDesc() const {
    const auto kind =
        at_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    return {{kind, algorithm_, source_, pooled_, windows_.strides, windows_.kernel,
             windows_.dilation, windows_.padding, windows_.padding},
            Context::Attributes(),
            at_.context.engine()};
  }

  const dnnl::algorithm algorithm_;
  const Windows windows_;
  const memory::desc source_, pooled_, plain_;
  const dnnl::pooling_v2_forward::primitive_desc forward_desc_;
  memory workspace_;
};

}  // namespace

std::unique_ptr<Layer> MakePool(const LayerContext& at) {
  return std::make_unique<Pool>(at);
}

}  // namespace fx::onednn
