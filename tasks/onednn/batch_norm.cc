// batch_norm: (x - mean) / sqrt(variance + epsilon) . weight + bias for each channel, or feature
// (Ioffe, Szegedy, "Batch Normalization", 2015). In training, mean and variance are those of the
// batch; the running ones move towards them, the variance without bias (divided by n - 1), and are
// what evaluation uses. A ReLU behind it is fused into both passes.
#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;
using dnnl::normalization_flags;

class BatchNorm final : public Layer {
 public:
  explicit BatchNorm(const LayerContext& at)
      : Layer(at),
        weight_(PlainParameter("weight")),
        bias_(PlainParameter("bias")),
        running_mean_(PlainParameter("running_mean")),
        running_var_(PlainParameter("running_var")),
        plain_dims_(at.input().get_desc().dims()),
        layout_(ChannelsLast(ImageDims(), TypeOf(at.input()))),
        forward_desc_(ForwardDesc()) {
    input_ = AsImage(at.input(), forward_);
    const bool in_place = !at.training && at.may_overwrite;
    result_ = in_place ? input_ : LentMemory(at.context, layout_);
    output_ = FromImage(result_);
    const memory::desc channels = PlainDesc({layout_.dims()[1]});
    mean_ = at.training ? ZeroMemory(at.context, channels) : running_mean_->value;
    variance_ = at.training ? ZeroMemory(at.context, channels) : running_var_->value;
    Arguments arguments = Statistics();
    arguments[DNNL_ARG_DST] = result_;
    if (at.training && at.relu) {
      workspace_ = LentMemory(at.context, forward_desc_.workspace_desc());
      arguments[DNNL_ARG_WORKSPACE] = workspace_;
    }
    forward_.push_back(MakeStep<dnnl::batch_normalization_forward>(at_.context, forward_desc_,
                                                                   std::move(arguments)));
    Note("forward", forward_desc_.impl_info_str());
  }

  void CompileBackward(const memory& output_gradient, bool) override {
    const dnnl::batch_normalization_backward::primitive_desc desc(
        {dnnl::prop_kind::backward, layout_, layout_, Epsilon(), Flags()}, Context::Attributes(),
        at_.context.engine(), forward_desc_);
    gradient_ = AsImage(output_gradient, backward_);
    input_gradient_ = FromImage(gradient_);
    Arguments arguments = Statistics();
    arguments[DNNL_ARG_DIFF_DST] = gradient_;
    arguments[DNNL_ARG_DIFF_SRC] = gradient_;
    arguments[DNNL_ARG_DIFF_SCALE] = weight_->gradient;
    arguments[DNNL_ARG_DIFF_SHIFT] = bias_->gradient;
    if (at_.relu) arguments[DNNL_ARG_WORKSPACE] = workspace_;
    backward_.push_back(
        MakeStep<dnnl::batch_normalization_backward>(at_.context, desc, std::move(arguments)));
    Note("backward", desc.impl_info_str());
  }

  void Forward(dnnl::stream& stream, const DrawKey& key) override {
    Layer::Forward(stream, key);
    if (!at_.training) return;
    stream.wait();
    const memory::dims dims = layout_.dims();
    const auto values = static_cast<float>(dims[0] * dims[2] * dims[3]);
    MoveTowards(mean_, 1, running_mean_->value);
    // One value has no unbiased variance.
    if (values > 1) MoveTowards(variance_, values / (values - 1), running_var_->value);
  }

 private:
  // Features are images of one pixel: oneDNN has fast code for those only.
  memory::dims ImageDims() const {
    return plain_dims_.size() == 4 ? plain_dims_
                                   : memory::dims{plain_dims_[0], plain_dims_[1], 1, 1};
  }
  memory AsImage(const memory& from, Steps& steps) {
    if (plain_dims_.size() == 4) return InLayout(at_.context, from, layout_, steps);
    features_.push_back(
        InLayout(at_.context, from, PlainDesc(plain_dims_, layout_.data_type()), steps));
    return View(features_.back(), layout_);
  }
  memory FromImage(const memory& image) const {
    if (plain_dims_.size() == 4) return image;
    return View(image, PlainDesc(plain_dims_, layout_.data_type()));
  }

  float Epsilon() const { return static_cast<float>(at_.spec.epsilon); }

  normalization_flags Flags() const {
    normalization_flags flags = normalization_flags::use_scale | normalization_flags::use_shift;
    if (at_.relu) flags |= normalization_flags::fuse_norm_relu;
    if (!at_.training) flags |= normalization_flags::use_global_stats;
    return flags;
  }

  dnnl::batch_normalization_forward::primitive_desc ForwardDesc() const {
    const auto kind =
        at_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    return {{kind, layout_, Epsilon(), Flags()}, Context::Attributes(), at_.context.engine()};
  }

  // What both passes read.
  Arguments Statistics() const {
    return {{DNNL_ARG_SRC, input_},
            {DNNL_ARG_MEAN, mean_},
            {DNNL_ARG_VARIANCE, variance_},
            {DNNL_ARG_SCALE, weight_->value},
            {DNNL_ARG_SHIFT, bias_->value}};
  }

  // running = (1 - momentum) running + momentum . scale . batch
  void MoveTowards(const memory& batch, float scale, const memory& running) const {
    const std::span<const float> from = Floats(batch);
    const std::span<float> to = Floats(running);
    const auto momentum = static_cast<float>(at_.spec.momentum);
    for (std::size_t c = 0; c < to.size(); ++c) {
      to[c] = (1 - momentum) * to[c] + momentum * scale * from[c];
    }
  }

  Parameter *const weight_, *const bias_, *const running_mean_, *const running_var_;
  const memory::dims plain_dims_;
  const memory::desc layout_;
  const dnnl::batch_normalization_forward::primitive_desc forward_desc_;
  std::vector<memory> features_;  // keeps what images are views of
  memory input_, result_, gradient_, mean_, variance_, workspace_;
};

}  // namespace

std::unique_ptr<Layer> MakeBatchNorm(const LayerContext& at) {
  return std::make_unique<BatchNorm>(at);
}

}  // namespace fx::onednn
