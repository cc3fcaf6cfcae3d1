// conv_transpose2d: the gradient of conv2d by its input, as a layer of its own ("A guide to
// convolution arithmetic for deep learning", Dumoulin, Visin 2016, chapter 4), plus bias. PyTorch
// has its weights as [channels, filters, height, width], oneDNN wants the first two the other way
// round: a view with its axes exchanged serves, nothing is copied. `output_padding` is padding
// taken away at the far end.
#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

constexpr auto kAlgorithm = dnnl::algorithm::deconvolution_direct;

memory::desc Exchanged(const memory::desc& weights) {
  return weights.permute_axes({1, 0, 2, 3});
}

class ConvTranspose2d final : public Layer {
 public:
  explicit ConvTranspose2d(const LayerContext& at)
      : Layer(at),
        weight_(at.parameter("weight")),
        bias_(at.parameter("bias")),
        source_(ChannelsLast(at.input().get_desc().dims())),
        result_(ChannelsLast(BatchDims(source_.dims()[0], at.spec.output))),
        weights_(
            AnyDesc({at.spec.filters, at.spec.input[0], at.spec.kernel[0], at.spec.kernel[1]})),
        strides_{at.spec.stride[0], at.spec.stride[1]},
        near_{at.spec.padding[0], at.spec.padding[1]},
        far_{near_[0] - at.spec.output_padding[0], near_[1] - at.spec.output_padding[1]},
        forward_desc_(ForwardDesc()) {
    input_ = InLayout(at.context, at.input(), source_, forward_);
    output_ = LentMemory(at.context, result_);
    Arguments arguments = {{DNNL_ARG_SRC, input_},
                           {DNNL_ARG_WEIGHTS, WeightsAs(forward_desc_.weights_desc())},
                           {DNNL_ARG_DST, output_}};
    if (bias_ != nullptr) arguments[DNNL_ARG_BIAS] = Weights(*bias_, BiasDesc());
    forward_.push_back(
        MakeStep<dnnl::deconvolution_forward>(at_.context, forward_desc_, std::move(arguments)));
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    const memory gradient = InLayout(at_.context, output_gradient, result_, backward_);
    CompileBackwardWeights(gradient);
    if (want_input) CompileBackwardData(gradient);
  }

 private:
  memory::desc BiasDesc() const {
    return bias_ != nullptr ? PlainDesc({at_.spec.filters}) : memory::desc();
  }

  memory WeightsAs(const memory::desc& wanted) {
    return View(Weights(*weight_, Exchanged(wanted)), wanted);
  }

  dnnl::deconvolution_forward::primitive_desc ForwardDesc() const {
    const auto kind =
        at_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    return {{kind, kAlgorithm, source_, weights_, BiasDesc(), result_, strides_, near_, far_},
            Context::Attributes(),
            at_.context.engine()};
  }

  void CompileBackwardWeights(const memory& gradient) {
    const dnnl::deconvolution_backward_weights::primitive_desc desc(
        {kAlgorithm, source_, weights_, BiasDesc(), result_, strides_, near_, far_},
        Context::Attributes(), at_.context.engine(), forward_desc_);
    Steps after;
    const memory made = GradientOf(*weight_, Exchanged(desc.diff_weights_desc()), after);
    Arguments arguments = {{DNNL_ARG_SRC, input_},
                           {DNNL_ARG_DIFF_DST, gradient},
                           {DNNL_ARG_DIFF_WEIGHTS, View(made, desc.diff_weights_desc())}};
    if (bias_ != nullptr) arguments[DNNL_ARG_DIFF_BIAS] = bias_->gradient;
    backward_.push_back(
        MakeStep<dnnl::deconvolution_backward_weights>(at_.context, desc, std::move(arguments)));
    backward_.insert(backward_.end(), after.begin(), after.end());
    Note("backward weights", desc.impl_info_str());
  }

  void CompileBackwardData(const memory& gradient) {
    const dnnl::deconvolution_backward_data::primitive_desc desc(
        {kAlgorithm, source_, weights_, result_, strides_, near_, far_}, Context::Attributes(),
        at_.context.engine(), forward_desc_);
    input_gradient_ = LentMemory(at_.context, source_);
    backward_.push_back(MakeStep<dnnl::deconvolution_backward_data>(
        at_.context, desc,
        {{DNNL_ARG_DIFF_DST, gradient},
         {DNNL_ARG_WEIGHTS, WeightsAs(desc.weights_desc())},
         {DNNL_ARG_DIFF_SRC, input_gradient_}}));
    Note("backward data", desc.impl_info_str());
  }

  Parameter* const weight_;
  Parameter* const bias_;  // null without
  const memory::desc source_, result_, weights_;
  const memory::dims strides_, near_, far_;
  const dnnl::deconvolution_forward::primitive_desc forward_desc_;
  memory input_;
};

}  // namespace

std::unique_ptr<Layer> MakeConvTranspose2d(const LayerContext& at) {
  return std::make_unique<ConvTranspose2d>(at);
}

}  // namespace fx::onednn
