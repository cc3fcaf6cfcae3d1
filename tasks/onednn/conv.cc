// conv2d: cross-correlation with zero padding, plus bias; a ReLU behind it is fused into the
// forward pass. Groups are an axis of their own in the weights, [groups, filters / groups,
// channels / groups, height, width], which is the same row-major order. Weights lie as oneDNN likes
// best. Inputs and outputs lie channels-last wherever that has fast code: its blocked layouts pad
// channels to 8 or 16, which makes the weights' gradient of a first layer, of 1 or 3 channels,
// three times as expensive.
#include <string_view>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;

using LayoutOf = memory::desc (*)(const memory::dims&, DataType);

// oneDNN 2.6 with AVX2 writes beyond its scratchpad here, channels last; blocked layouts are sound.
bool OverrunsChannelsLast(const LayerSpec& spec) {
  const bool one = spec.kernel[0] == 1 && spec.kernel[1] == 1;
  const bool strided = spec.stride[0] != 1 || spec.stride[1] != 1;
  return one && strided && (spec.input[0] % 8 != 0 || spec.output[0] % 8 != 0);
}

// make(ChannelsLast) if oneDNN has sound code of its own for it, else make(AnyDesc).
template <typename Make>
auto Fastest(const LayerSpec& spec, Make make) {
  if (OverrunsChannelsLast(spec)) return make(AnyDesc);
  auto desc = make(ChannelsLast);
  const std::string_view name = desc.impl_info_str();
  const bool slow = name.find("ref") != std::string::npos || name.find("gemm") != std::string::npos;
  return slow ? make(AnyDesc) : desc;
}

class Conv2d final : public Layer {
 public:
  explicit Conv2d(const LayerContext& at)
      : Layer(at),
        weight_(at.parameter("weight")),
        bias_(at.parameter("bias")),
        input_dims_(at.input().get_desc().dims()),
        output_dims_(BatchDims(input_dims_[0], at.spec.output)),
        weight_dims_(WeightDims(at.spec)),
        strides_{at.spec.stride[0], at.spec.stride[1]},
        dilation_{at.spec.dilation[0] - 1, at.spec.dilation[1] - 1},  // oneDNN's 0 is dense
        padding_{at.spec.padding[0], at.spec.padding[1]},
        forward_desc_(ForwardDesc()) {
    if (ReadsCopies()) weight_->Place(at.context, BackwardWeightsDesc().diff_weights_desc());
    input_ = InLayout(at.context, at.input(), forward_desc_.src_desc(), forward_);
    output_ = LentMemory(at.context, forward_desc_.dst_desc());
    Arguments arguments = {{DNNL_ARG_SRC, input_},
                           {DNNL_ARG_WEIGHTS, Weights(*weight_, forward_desc_.weights_desc())},
                           {DNNL_ARG_DST, output_}};
    if (bias_ != nullptr) {
      arguments[DNNL_ARG_BIAS] = Weights(*bias_, PlainDesc({at.spec.filters}));
    }
    forward_.push_back(
        MakeStep<dnnl::convolution_forward>(at_.context, forward_desc_, std::move(arguments)));
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    const memory gradient = InPrecision(output_gradient, backward_);
    CompileBackwardWeights(gradient);
    if (want_input) CompileBackwardData(gradient);
  }

 private:
  static memory::dims WeightDims(const LayerSpec& spec) {
    const auto [height, width] = spec.kernel;
    const std::int64_t channels = spec.input.front();
    if (spec.groups == 1) return {spec.filters, channels, height, width};
    return {spec.groups, spec.filters / spec.groups, channels / spec.groups, height, width};
  }

  memory::desc BiasDesc() const {
    return bias_ != nullptr ? PlainDesc({at_.spec.filters}) : memory::desc();
  }

  dnnl::convolution_forward::primitive_desc ForwardDesc() const {
    const prop_kind kind =
        at_.training ? prop_kind::forward_training : prop_kind::forward_inference;
    return Fastest(at_.spec, [&](LayoutOf layout) {
      return dnnl::convolution_forward::primitive_desc(
          {kind, dnnl::algorithm::convolution_direct, layout(input_dims_, at_.precision),
           AnyDesc(weight_dims_, at_.precision), BiasDesc(), layout(output_dims_, at_.output_type),
           strides_, dilation_, padding_, padding_},
          ForwardAttributes(), at_.context.engine());
    });
  }

  dnnl::convolution_backward_weights::primitive_desc BackwardWeightsDesc() const {
    return Fastest(at_.spec, [&](LayoutOf layout) {
      return dnnl::convolution_backward_weights::primitive_desc(
          {dnnl::algorithm::convolution_direct, layout(input_dims_, at_.precision),
           AnyDesc(weight_dims_, DataType::f32), BiasDesc(), layout(output_dims_, at_.precision),
           strides_, dilation_, padding_, padding_},
          Context::Attributes(), at_.context.engine(), forward_desc_);
    });
  }

  void CompileBackwardWeights(const memory& output_gradient) {
    const auto desc = BackwardWeightsDesc();
    Steps after;
    Arguments arguments = {
        {DNNL_ARG_SRC, InLayout(at_.context, input_, desc.src_desc(), backward_)},
        {DNNL_ARG_DIFF_DST,
         InLayout(at_.context, output_gradient, desc.diff_dst_desc(), backward_)},
        {DNNL_ARG_DIFF_WEIGHTS, GradientOf(*weight_, desc.diff_weights_desc(), after)}};
    if (bias_ != nullptr) arguments[DNNL_ARG_DIFF_BIAS] = bias_->gradient;
    backward_.push_back(
        MakeStep<dnnl::convolution_backward_weights>(at_.context, desc, std::move(arguments)));
    backward_.insert(backward_.end(), after.begin(), after.end());
    Note("backward weights", desc.impl_info_str());
  }

  void CompileBackwardData(const memory& output_gradient) {
    const auto desc = Fastest(at_.spec, [&](LayoutOf layout) {
      return dnnl::convolution_backward_data::primitive_desc(
          {dnnl::algorithm::convolution_direct, layout(input_dims_, at_.precision),
           AnyDesc(weight_dims_, at_.precision), layout(output_dims_, at_.precision), strides_,
           dilation_, padding_, padding_},
          Context::Attributes(), at_.context.engine(), forward_desc_);
    });
    input_gradient_ = LentMemory(at_.context, desc.diff_src_desc());
    backward_.push_back(MakeStep<dnnl::convolution_backward_data>(
        at_.context, desc,
        {{DNNL_ARG_DIFF_DST,
          InLayout(at_.context, output_gradient, desc.diff_dst_desc(), backward_)},
         {DNNL_ARG_WEIGHTS, Weights(*weight_, desc.weights_desc())},
         {DNNL_ARG_DIFF_SRC, input_gradient_}}));
    Note("backward data", desc.impl_info_str());
  }

  Parameter* const weight_;
  Parameter* const bias_;  // null without
  const memory::dims input_dims_, output_dims_, weight_dims_, strides_, dilation_, padding_;
  const dnnl::convolution_forward::primitive_desc forward_desc_;
  memory input_;
};

}  // namespace

std::unique_ptr<Layer> MakeConv2d(const LayerContext& at) {
  return std::make_unique<Conv2d>(at);
}

}  // namespace fx::onednn
