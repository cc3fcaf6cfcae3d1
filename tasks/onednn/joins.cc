// add and concat: layers of several inputs, which give each of them a gradient of its own, because
// whoever takes a gradient may overwrite it.
#include <algorithm>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

class Join : public Layer {
 public:
  const memory& input_gradient(std::size_t input) const override { return gradients_.at(input); }

 protected:
  explicit Join(const LayerContext& at) : Layer(at) {}

  // New memory in the layout of an input, filled from `from`.
  void AddGradient(std::size_t input, const memory& from) {
    gradients_.push_back(ZeroMemory(at_.context, at_.inputs[input].get_desc()));
    backward_.push_back(MakeReorder(at_.context, from, gradients_.back()));
  }

  std::vector<memory> gradients_;
};

// The sum of all inputs, in the layout of the first, two at a time; a ReLU behind it is fused into
// the last addition.
class Add final : public Join {
 public:
  explicit Add(const LayerContext& at) : Join(at), layout_(at.input().get_desc()) {
    output_ = at.may_overwrite ? at.input() : ZeroMemory(at.context, layout_);
    memory sum = at.input();
    for (std::size_t i = 1; i < at.inputs.size(); ++i) {
      AddTo(sum, at.inputs[i], i + 1 == at.inputs.size());
      sum = output_;
    }
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    gradients_.push_back(output_gradient);
    for (std::size_t i = 1; i < at_.inputs.size(); ++i) AddGradient(i, output_gradient);
  }

 private:
  void AddTo(const memory& sum, const memory& next, bool last) {
    const memory other = InLayout(at_.context, next, layout_, forward_);
    const dnnl::binary::primitive_desc desc(
        {dnnl::algorithm::binary_add, layout_, layout_, layout_},
        last ? ForwardAttributes() : Context::Attributes(), at_.context.engine());
    forward_.push_back(MakeStep<dnnl::binary>(
        at_.context, desc,
        {{DNNL_ARG_SRC_0, sum}, {DNNL_ARG_SRC_1, other}, {DNNL_ARG_DST, output_}}));
    Note("forward", desc.impl_info_str());
  }

  const memory::desc layout_;
};

// One input behind the other along axis 1: channels, features, or steps in time.
class Concat final : public Join {
 public:
  explicit Concat(const LayerContext& at)
      : Join(at), output_dims_(BatchDims(at.input().get_desc().dims()[0], at.spec.output)) {
    const memory::desc layout = UnblockedLike(at.input(), output_dims_);
    std::vector<memory::desc> parts;
    Arguments arguments;
    for (std::size_t i = 0; i < at.inputs.size(); ++i) {
      parts.push_back(UnblockedLike(at.input(), at.inputs[i].get_desc().dims()));
      arguments[DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i)] =
          InLayout(at.context, at.inputs[i], parts.back(), forward_);
    }
    const dnnl::concat::primitive_desc desc(layout, kAxis, parts, at.context.engine(),
                                            Context::Attributes());
    output_ = ZeroMemory(at.context, layout);
    arguments[DNNL_ARG_DST] = output_;
    forward_.push_back(MakeStep<dnnl::concat>(at_.context, desc, std::move(arguments)));
    Note("forward", desc.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    const memory whole = InLayout(at_.context, output_gradient, output_.get_desc(), backward_);
    memory::dims begin(output_dims_.size(), 0);
    for (std::size_t i = 0; i < at_.inputs.size(); ++i) {
      const memory::dims dims = at_.inputs[i].get_desc().dims();
      const memory::desc part = whole.get_desc().submemory_desc(dims, begin);
      AddGradient(i, memory(part, at_.context.engine(), whole.get_data_handle()));
      begin[kAxis] += dims[kAxis];
    }
    whole_gradient_ = whole;
  }

 private:
  static constexpr int kAxis = 1;

  const memory::dims output_dims_;
  memory whole_gradient_;  // keeps what its parts are views of
};

}  // namespace

std::unique_ptr<Layer> MakeAdd(const LayerContext& at) {
  return std::make_unique<Add>(at);
}
std::unique_ptr<Layer> MakeConcat(const LayerContext& at) {
  return std::make_unique<Concat>(at);
}

}  // namespace fx::onednn
