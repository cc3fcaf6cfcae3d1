// reshape and flatten: other extents for the same values in row-major order. Where they lie so
// already nothing is copied. An image on its way to a dense layer keeps its extents and layout: the
// weights do the same there.
#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

class Reshape final : public Layer {
 public:
  explicit Reshape(const LayerContext& at)
      : Layer(at),
        input_dims_(at.input().get_desc().dims()),
        output_dims_(BatchDims(input_dims_[0], at.spec.output)) {
    const bool flattens = input_dims_.size() == 4 && at.spec.output.size() == 1;
    keeps_ = input_dims_ == output_dims_ || (at.may_keep_extents && flattens);
    if (keeps_) {
      output_ = at.input();
      return;
    }
    const DataType type = TypeOf(at.input());
    plain_ = InLayout(at.context, at.input(), PlainDesc(input_dims_, type), forward_);
    output_ = View(plain_, PlainDesc(output_dims_, type));
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    if (!want_input) return;
    if (keeps_) {
      input_gradient_ = output_gradient;
      return;
    }
    const DataType type = TypeOf(output_gradient);
    plain_gradient_ =
        InLayout(at_.context, output_gradient, PlainDesc(output_dims_, type), backward_);
    input_gradient_ = View(plain_gradient_, PlainDesc(input_dims_, type));
  }

 private:
  const memory::dims input_dims_, output_dims_;
  bool keeps_ = false;
  memory plain_, plain_gradient_;
};

}  // namespace

std::unique_ptr<Layer> MakeReshape(const LayerContext& at) {
  return std::make_unique<Reshape>(at);
}

}  // namespace fx::onednn
