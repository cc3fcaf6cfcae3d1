// add and concat: layers of several inputs, which give each of them a gradient of its own, because
// whoever takes a gradient may overwrite it.
#include <cstdint>
#include <vector>

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
    gradients_.push_back(LentMemory(at_.context, at_.inputs[input].get_desc()));
    backward_.push_back(MakeReorder(at_.context, from, gradients_.back()));
  }

  std::vector<memory> gradients_;
};

// The sum of all inputs, in the layout of the first, two at a time; a ReLU behind it is fused into
// the last addition.
class Add final : public Join {
 public:
  explicit Add(const LayerContext& at) : Join(at), layout_(at.input().get_desc()) {
    output_ = at.may_overwrite ? at.input() : LentMemory(at.context, layout_);
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

// One input behind the other along axis 1: channels, features, or steps in time. The way forward is
// plain loops, twice as fast as oneDNN's where channels lie last.
class Concat final : public Join {
 public:
  explicit Concat(const LayerContext& at)
      : Join(at), output_dims_(BatchDims(at.input().get_desc().dims()[0], at.spec.output)) {
    const memory::desc layout = UnblockedLike(at.input(), output_dims_);
    const bool channels_last = !(layout == PlainDesc(output_dims_, layout.data_type()));
    output_ = LentMemory(at.context, layout);
    const std::int64_t values = ValuesIn(output_);
    pieces_ = channels_last ? values / output_dims_[kAxis] : output_dims_[0];
    for (const memory& input : at.inputs) {
      const memory::desc part = UnblockedLike(at.input(), input.get_desc().dims());
      parts_.push_back(InLayout(at.context, input, part, forward_));
    }
    Note("forward", channels_last ? "loops:channels_last" : "loops:plain");
  }

  void Forward(dnnl::stream& stream, const DrawKey& key) override {
    Layer::Forward(stream, key);
    stream.wait();
    TypeOf(output_) == DataType::f32 ? InterleaveAll<float>() : InterleaveAll<std::uint16_t>();
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    const memory whole = InLayout(at_.context, output_gradient, output_.get_desc(), backward_);
    memory::dims begin(output_dims_.size(), 0);
    for (std::size_t i = 0; i < at_.inputs.size(); ++i) {
      const memory::dims dims = at_.inputs[i].get_desc().dims();
      const memory::desc part = whole.get_desc().submemory_desc(dims, begin);
      AddGradient(i, View(whole, part));
      begin[kAxis] += dims[kAxis];
    }
    whole_gradient_ = whole;
  }

 private:
  static constexpr int kAxis = 1;

  static std::int64_t ValuesIn(const memory& memory) {
    const memory::desc desc = memory.get_desc();
    const std::size_t bytes =
        desc.data_type() == DataType::f32 ? sizeof(float) : sizeof(std::uint16_t);
    return static_cast<std::int64_t>(desc.get_size() / bytes);
  }

  template <typename Value>
  void InterleaveAll() const {
    auto* to = static_cast<Value*>(output_.get_data_handle());
    const std::int64_t stride = ValuesIn(output_) / pieces_;
    for (const memory& part : parts_) {
      const std::int64_t length = ValuesIn(part) / pieces_;
      Interleave(static_cast<const Value*>(part.get_data_handle()), length, to, stride);
      to += length;
    }
  }

  // `from` is pieces of `length`, `to` takes one every `stride`.
  template <typename Value>
  void Interleave(const Value* from, std::int64_t length, Value* to, std::int64_t stride) const {
#pragma omp parallel for schedule(static)
    for (std::int64_t piece = 0; piece < pieces_; ++piece) {
      const Value* const x = from + piece * length;
      Value* const y = to + piece * stride;
#pragma omp simd
      for (std::int64_t i = 0; i < length; ++i) y[i] = x[i];
    }
  }

  const memory::dims output_dims_;
  std::int64_t pieces_ = 1;    // of the output in which the inputs take turns: pixels, or samples
  std::vector<memory> parts_;  // the inputs, in the output's order of axes
  memory whole_gradient_;      // keeps what its parts are views of
};

}  // namespace

std::unique_ptr<Layer> MakeAdd(const LayerContext& at) {
  return std::make_unique<Add>(at);
}
std::unique_ptr<Layer> MakeConcat(const LayerContext& at) {
  return std::make_unique<Concat>(at);
}

}  // namespace fx::onednn
