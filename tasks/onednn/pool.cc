// max_pool: the largest value of each window; padding never wins. Works in the layout its input
// has.
#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;

class MaxPool final : public Layer {
 public:
  explicit MaxPool(const LayerContext& at)
      : Layer(at),
        kernel_{at.spec.kernel[0], at.spec.kernel[1]},
        strides_{at.spec.stride[0], at.spec.stride[1]},
        padding_{at.spec.padding[0], at.spec.padding[1]},
        forward_desc_(ForwardDesc()) {
    output_ = ZeroMemory(at.context, forward_desc_.dst_desc());
    Arguments arguments = {{DNNL_ARG_SRC, at.input}, {DNNL_ARG_DST, output_}};
    if (at.training) {
      workspace_ = memory(forward_desc_.workspace_desc(), at.context.engine());
      arguments[DNNL_ARG_WORKSPACE] = workspace_;
    }
    forward_.push_back(
        MakeStep<dnnl::pooling_forward>(at_.context, forward_desc_, std::move(arguments)));
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    const memory::desc input = at_.input.get_desc();
    const dnnl::pooling_backward::primitive_desc desc(
        {dnnl::algorithm::pooling_max, input, output_.get_desc(), strides_, kernel_, padding_,
         padding_},
        Context::Attributes(), at_.context.engine(), forward_desc_);
    input_gradient_ = ZeroMemory(at_.context, input);
    backward_.push_back(MakeStep<dnnl::pooling_backward>(
        at_.context, desc,
        {{DNNL_ARG_DIFF_DST, InLayout(at_.context, output_gradient, output_.get_desc(), backward_)},
         {DNNL_ARG_WORKSPACE, workspace_},
         {DNNL_ARG_DIFF_SRC, input_gradient_}}));
    Note("backward", desc.impl_info_str());
  }

 private:
  dnnl::pooling_forward::primitive_desc ForwardDesc() const {
    const prop_kind kind =
        at_.training ? prop_kind::forward_training : prop_kind::forward_inference;
    const memory::desc input = at_.input.get_desc();
    const memory::dims output = BatchDims(input.dims()[0], at_.spec.output);
    return {{kind, dnnl::algorithm::pooling_max, input, AnyDesc(output), strides_, kernel_,
             padding_, padding_},
            Context::Attributes(),
            at_.context.engine()};
  }

  const memory::dims kernel_, strides_, padding_;
  const dnnl::pooling_forward::primitive_desc forward_desc_;
  memory workspace_;
};

}  // namespace

std::unique_ptr<Layer> MakeMaxPool(const LayerContext& at) {
  return std::make_unique<MaxPool>(at);
}

}  // namespace fx::onednn
