// layer_norm: (x - mean) / sqrt(variance + epsilon) . weight + bias over the last axis (Ba, Kiros,
// Hinton, "Layer Normalization", 2016).
#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;
using dnnl::normalization_flags;

normalization_flags Flags() {
  return normalization_flags::use_scale | normalization_flags::use_shift;
}

class LayerNorm final : public Layer {
 public:
  explicit LayerNorm(const LayerContext& at)
      : Layer(at),
        weight_(PlainParameter("weight")),
        bias_(PlainParameter("bias")),
        layout_(PlainDesc(at.input().get_desc().dims())),
        forward_desc_(ForwardDesc()) {
    input_ = InLayout(at.context, at.input(), layout_, forward_);
    const bool in_place = at.may_overwrite && !at.training;
    output_ = in_place ? input_ : LentMemory(at.context, layout_);
    Arguments arguments = {{DNNL_ARG_SRC, input_},
                           {DNNL_ARG_SCALE, weight_->value},
                           {DNNL_ARG_SHIFT, bias_->value},
                           {DNNL_ARG_DST, output_}};
    if (at.training) {
      mean_ = ZeroMemory(at.context, forward_desc_.mean_desc());
      variance_ = ZeroMemory(at.context, forward_desc_.variance_desc());
      arguments[DNNL_ARG_MEAN] = mean_;
      arguments[DNNL_ARG_VARIANCE] = variance_;
    }
    forward_.push_back(MakeStep<dnnl::layer_normalization_forward>(at_.context, forward_desc_,
                                                                   std::move(arguments)));
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool) override {
    const dnnl::layer_normalization_backward::primitive_desc desc(
        {dnnl::prop_kind::backward, layout_, layout_, mean_.get_desc(), Epsilon(), Flags()},
        Context::Attributes(), at_.context.engine(), forward_desc_);
    input_gradient_ = InLayout(at_.context, output_gradient, layout_, backward_);
    backward_.push_back(
        MakeStep<dnnl::layer_normalization_backward>(at_.context, desc,
                                                     {{DNNL_ARG_SRC, input_},
                                                      {DNNL_ARG_MEAN, mean_},
                                                      {DNNL_ARG_VARIANCE, variance_},
                                                      {DNNL_ARG_SCALE, weight_->value},
                                                      {DNNL_ARG_SHIFT, bias_->value},
                                                      {DNNL_ARG_DIFF_DST, input_gradient_},
                                                      {DNNL_ARG_DIFF_SRC, input_gradient_},
                                                      {DNNL_ARG_DIFF_SCALE, weight_->gradient},
                                                      {DNNL_ARG_DIFF_SHIFT, bias_->gradient}}));
    Note("backward", desc.impl_info_str());
  }

 private:
  float Epsilon() const { return static_cast<float>(at_.spec.epsilon); }

  dnnl::layer_normalization_forward::primitive_desc ForwardDesc() const {
    const auto kind =
        at_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    return {{kind, layout_, Epsilon(), Flags()}, Context::Attributes(), at_.context.engine()};
  }

  Parameter *const weight_, *const bias_;
  const memory::desc layout_;
  const dnnl::layer_normalization_forward::primitive_desc forward_desc_;
  memory input_, mean_, variance_;
};

}  // namespace

std::unique_ptr<Layer> MakeLayerNorm(const LayerContext& at) {
  return std::make_unique<LayerNorm>(at);
}

}  // namespace fx::onednn
