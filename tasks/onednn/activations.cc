// leaky_relu, gelu, silu, tanh and sigmoid: in the layout their input has, and in place
// where they may. Those whose gradient follows from their output keep that; the others keep their
// input.
#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::algorithm;
using dnnl::memory;

struct Function {
  algorithm kind;
  float alpha = 0;
  bool from_output = false;  // whether the gradient is computed from the output
};

Function FunctionOf(const LayerSpec& spec) {
  switch (spec.type) {
    case LayerType::kLeakyRelu: {
      const auto slope = static_cast<float>(spec.slope);
      // A falling negative side makes the output's sign ambiguous.
      if (slope < 0) return {.kind = algorithm::eltwise_relu, .alpha = slope};
      return {.kind = algorithm::eltwise_relu_use_dst_for_bwd, .alpha = slope, .from_output = true};
    }
    case LayerType::kGelu:
      return {.kind = algorithm::eltwise_gelu_erf};
    case LayerType::kSilu:
      return {.kind = algorithm::eltwise_swish, .alpha = 1};
    case LayerType::kTanh:
      return {.kind = algorithm::eltwise_tanh_use_dst_for_bwd, .from_output = true};
    case LayerType::kSigmoid:
      return {.kind = algorithm::eltwise_logistic_use_dst_for_bwd, .from_output = true};
    default:
      break;
  }
  FX_CHECK(false);
  return {};
}

class Activation final : public Layer {
 public:
  explicit Activation(const LayerContext& at)
      : Layer(at), function_(FunctionOf(at.spec)), forward_desc_(ForwardDesc()) {
    const bool in_place = at.may_overwrite && (function_.from_output || !at.training);
    output_ = in_place ? at.input() : LentMemory(at.context, at.input().get_desc());
    forward_.push_back(MakeStep<dnnl::eltwise_forward>(
        at_.context, forward_desc_, {{DNNL_ARG_SRC, at.input()}, {DNNL_ARG_DST, output_}}));
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    const memory::desc layout = output_.get_desc();
    const dnnl::eltwise_backward::primitive_desc desc(
        {function_.kind, layout, layout, function_.alpha}, Context::Attributes(),
        at_.context.engine(), forward_desc_);
    input_gradient_ = InLayout(at_.context, output_gradient, layout, backward_);
    Arguments arguments = {{DNNL_ARG_DIFF_DST, input_gradient_},
                           {DNNL_ARG_DIFF_SRC, input_gradient_}};
    if (function_.from_output) {
      arguments[DNNL_ARG_DST] = output_;
    } else {
      arguments[DNNL_ARG_SRC] = at_.input();
    }
    backward_.push_back(MakeStep<dnnl::eltwise_backward>(at_.context, desc, std::move(arguments)));
    Note("backward", desc.impl_info_str());
  }

  bool needs_output() const override { return at_.training && function_.from_output; }

 private:
  dnnl::eltwise_forward::primitive_desc ForwardDesc() const {
    return {{dnnl::prop_kind::forward_training, function_.kind, at_.input().get_desc(),
             function_.alpha},
            Context::Attributes(),
            at_.context.engine()};
  }

  const Function function_;
  const dnnl::eltwise_forward::primitive_desc forward_desc_;
};

}  // namespace

std::unique_ptr<Layer> MakeActivation(const LayerContext& at) {
  return std::make_unique<Activation>(at);
}

}  // namespace fx::onednn
