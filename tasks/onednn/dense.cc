// dense: output = input . weight^T + bias; a ReLU behind it is fused into the forward pass. The
// input of a dense layer after a flatten keeps its [channels, height, width] extents, and so do the
// weights, so that nothing has to be brought into row-major order between the two. Of [time,
// features] every step is a row of its own.
#include <string_view>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;

class Dense final : public Layer {
 public:
  explicit Dense(const LayerContext& at)
      : Layer(at),
        weight_(at.parameter("weight")),
        bias_(at.parameter("bias")),
        rows_(Rows()),
        input_dims_(rows_.get_desc().dims()),
        output_dims_{input_dims_[0], at.spec.units},
        weight_dims_(WeightDims()),
        layout_(InputLayout()),
        forward_desc_(ForwardDesc()) {
    if (ReadsCopies()) weight_->Place(at.context, BackwardWeightsDesc().diff_weights_desc());
    input_ = InLayout(at.context, rows_, layout_, forward_);
    const memory to = LentMemory(at.context, forward_desc_.dst_desc());
    output_ = IsSequence() ? View(to, SequenceDesc(at.spec.output, at.output_type)) : to;
    Arguments arguments = {{DNNL_ARG_SRC, input_},
                           {DNNL_ARG_WEIGHTS, Weights(*weight_, forward_desc_.weights_desc())},
                           {DNNL_ARG_DST, to}};
    if (bias_ != nullptr) {
      arguments[DNNL_ARG_BIAS] = Weights(*bias_, PlainDesc({at.spec.units}));
    }
    forward_.push_back(
        MakeStep<dnnl::inner_product_forward>(at_.context, forward_desc_, std::move(arguments)));
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    const memory gradient =
        IsSequence() ? View(InLayout(at_.context, output_gradient,
                                     SequenceDesc(at_.spec.output, at_.precision), backward_),
                            PlainDesc(output_dims_, at_.precision))
                     : InPrecision(output_gradient, backward_);
    CompileBackwardWeights(gradient);
    if (want_input) CompileBackwardData(gradient);
  }

 private:
  bool IsSequence() const { return at_.spec.input.size() == 2; }

  memory::desc SequenceDesc(const Shape& sample, DataType type) const {
    return PlainDesc(BatchDims(at_.input().get_desc().dims()[0], sample), type);
  }

  // [batch, features...].
  memory Rows() {
    if (!IsSequence()) return at_.input();
    const memory::desc plain = SequenceDesc(at_.spec.input, at_.precision);
    return View(InLayout(at_.context, at_.input(), plain, forward_),
                PlainDesc({plain.dims()[0] * plain.dims()[1], plain.dims()[2]}, at_.precision));
  }

  memory::dims WeightDims() const {
    memory::dims dims = input_dims_;
    dims[0] = at_.spec.units;
    return dims;
  }

  // That of the input, unless it is a blocked one, which oneDNN has only reference code for here.
  memory::desc InputLayout() const {
    const bool plain = rows_.get_desc() == PlainDesc(input_dims_, TypeOf(rows_));
    return plain ? PlainDesc(input_dims_, at_.precision) : ChannelsLast(input_dims_, at_.precision);
  }

  memory::desc BiasDesc() const {
    return bias_ != nullptr ? PlainDesc({at_.spec.units}) : memory::desc();
  }

  dnnl::inner_product_forward::primitive_desc ForwardDesc() const {
    const prop_kind kind =
        at_.training ? prop_kind::forward_training : prop_kind::forward_inference;
    const memory::desc to = IsSequence() ? PlainDesc(output_dims_, at_.output_type)
                                         : AnyDesc(output_dims_, at_.output_type);
    return {{kind, layout_, AnyDesc(weight_dims_, at_.precision), BiasDesc(), to},
            ForwardAttributes(),
            at_.context.engine()};
  }

  dnnl::inner_product_backward_weights::primitive_desc BackwardWeightsDesc() const {
    return {{layout_, AnyDesc(weight_dims_), BiasDesc(), AnyDesc(output_dims_, at_.precision)},
            Context::Attributes(),
            at_.context.engine(),
            forward_desc_};
  }

  void CompileBackwardWeights(const memory& output_gradient) {
    const auto desc = BackwardWeightsDesc();
    Steps after;
    Arguments arguments = {
        {DNNL_ARG_SRC, input_},
        {DNNL_ARG_DIFF_DST,
         InLayout(at_.context, output_gradient, desc.diff_dst_desc(), backward_)},
        {DNNL_ARG_DIFF_WEIGHTS, GradientOf(*weight_, desc.diff_weights_desc(), after)}};
    if (bias_ != nullptr) arguments[DNNL_ARG_DIFF_BIAS] = bias_->gradient;
    backward_.push_back(
        MakeStep<dnnl::inner_product_backward_weights>(at_.context, desc, std::move(arguments)));
    backward_.insert(backward_.end(), after.begin(), after.end());
    Note("backward weights", desc.impl_info_str());
  }

  // With the weights as the forward pass has them, or else they are copied for every batch, unless
  // that leaves oneDNN only reference code.
  dnnl::inner_product_backward_data::primitive_desc BackwardDataDesc() const {
    const auto with = [&](const memory::desc& weights) {
      return dnnl::inner_product_backward_data::primitive_desc(
          {layout_, weights, AnyDesc(output_dims_, at_.precision)}, Context::Attributes(),
          at_.context.engine(), forward_desc_);
    };
    auto desc = with(at_.precision == DataType::f32 ? weight_->value.get_desc()
                                                    : forward_desc_.weights_desc());
    const bool slow = std::string_view(desc.impl_info_str()).starts_with("ref");
    return slow ? with(AnyDesc(weight_dims_, at_.precision)) : desc;
  }

  void CompileBackwardData(const memory& output_gradient) {
    const auto desc = BackwardDataDesc();
    const memory to = LentMemory(at_.context, desc.diff_src_desc());
    input_gradient_ = IsSequence() ? View(to, SequenceDesc(at_.spec.input, at_.precision)) : to;
    backward_.push_back(MakeStep<dnnl::inner_product_backward_data>(
        at_.context, desc,
        {{DNNL_ARG_DIFF_DST,
          InLayout(at_.context, output_gradient, desc.diff_dst_desc(), backward_)},
         {DNNL_ARG_WEIGHTS, Weights(*weight_, desc.weights_desc())},
         {DNNL_ARG_DIFF_SRC, to}}));
    Note("backward data", desc.impl_info_str());
  }

  Parameter* const weight_;
  Parameter* const bias_;  // null without
  const memory rows_;
  const memory::dims input_dims_, output_dims_, weight_dims_;
  const memory::desc layout_;
  const dnnl::inner_product_forward::primitive_desc forward_desc_;
  memory input_;
};

}  // namespace

std::unique_ptr<Layer> MakeDense(const LayerContext& at) {
  return std::make_unique<Dense>(at);
}

}  // namespace fx::onednn
