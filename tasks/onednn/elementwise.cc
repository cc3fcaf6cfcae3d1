// relu and dropout, which work in place where they may. A dropout may overwrite what a relu has put
// out: relu only asks for signs when it goes backward, and those are kept or turned into zeros it
// would not pass anyway.
#include "core/base/random.h"
#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

// max(0, x). The gradient needs the output only, so the forward pass can be left to the layer that
// made the input.
class Relu final : public Layer {
 public:
  explicit Relu(const LayerContext& at) : Layer(at), forward_desc_(ForwardDesc()) {
    const bool in_place = at.already_rectified || at.may_overwrite;
    output_ = in_place ? at.input() : LentMemory(at.context, at.input().get_desc());
    if (at.already_rectified) return;
    forward_.push_back(MakeStep<dnnl::eltwise_forward>(
        at_.context, forward_desc_, {{DNNL_ARG_SRC, at.input()}, {DNNL_ARG_DST, output_}}));
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    if (at_.gradient_rectified) {
      input_gradient_ = output_gradient;
      return;
    }
    const memory::desc layout = output_.get_desc();
    const dnnl::eltwise_backward::primitive_desc desc(
        {dnnl::algorithm::eltwise_relu_use_dst_for_bwd, layout, layout, 0.0F},
        Context::Attributes(), at_.context.engine(), forward_desc_);
    input_gradient_ = InLayout(at_.context, output_gradient, layout, backward_);
    backward_.push_back(MakeStep<dnnl::eltwise_backward>(at_.context, desc,
                                                         {{DNNL_ARG_DST, output_},
                                                          {DNNL_ARG_DIFF_DST, input_gradient_},
                                                          {DNNL_ARG_DIFF_SRC, input_gradient_}}));
    Note("backward", desc.impl_info_str());
  }

  bool needs_signs() const override { return at_.training && !at_.gradient_rectified; }

 private:
  dnnl::eltwise_forward::primitive_desc ForwardDesc() const {
    return {{dnnl::prop_kind::forward_training, dnnl::algorithm::eltwise_relu_use_dst_for_bwd,
             at_.input().get_desc(), 0.0F},
            Context::Attributes(),
            at_.context.engine()};
  }

  const dnnl::eltwise_forward::primitive_desc forward_desc_;
};

// Training: zero with probability `rate`, else x / (1 - rate), so that the mean stays. Each batch
// draws anew.
class Dropout final : public Layer {
 public:
  explicit Dropout(const LayerContext& at) : Layer(at) {
    const bool in_place = !at.training || at.may_overwrite;
    output_ = in_place ? at.input() : LentMemory(at.context, at.input().get_desc());
    if (at.training) mask_.resize(Floats(output_).size());
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (want_input) {
      input_gradient_ = InLayout(at_.context, output_gradient, output_.get_desc(), backward_);
    }
  }

  void Forward(dnnl::stream&, const DrawKey& key) override {
    if (!at_.training) return;
    RandomStream draws(key.seed, "dropout/" + at_.spec.name, key.round, key.step, key.collaborator);
    const auto rate = static_cast<float>(at_.spec.rate);
    const float scale = 1.0F / (1.0F - rate);
    for (float& m : mask_) m = draws.NextFloat() < rate ? 0.0F : scale;
    Apply(at_.input(), output_);
  }

  void Backward(dnnl::stream& stream) override {
    Run(backward_, stream);
    if (input_gradient_) Apply(input_gradient_, input_gradient_);
  }

 private:
  void Apply(const memory& from, const memory& to) const {
    const std::span<const float> x = Floats(from);
    const std::span<float> y = Floats(to);
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * mask_[i];
  }

  std::vector<float> mask_;
};

}  // namespace

std::unique_ptr<Layer> MakeRelu(const LayerContext& at) {
  return std::make_unique<Relu>(at);
}
std::unique_ptr<Layer> MakeDropout(const LayerContext& at) {
  return std::make_unique<Dropout>(at);
}

}  // namespace fx::onednn
