// embedding: row x of the weights for each whole number x, [time] to [time, units]. A number that
// names no row gives NaN, which stops the task with this layer's name.
//
// In loops of our own: oneDNN has no primitive for it. The gradient of a row is a sum over the
// places that name it, in their order; threads share out the columns, so that they change no sum.
#include <algorithm>
#include <limits>

#include "tasks/onednn/layer.h"

namespace fx::onednn {
namespace {

using dnnl::memory;

constexpr std::int64_t kColumnsAtOnce = 16;  // a cache line

void AddTo(float* sum, const float* addend, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) sum[i] += addend[i];
}

class Embedding final : public Layer {
 public:
  explicit Embedding(const LayerContext& at)
      : Layer(at), weight_(at.parameter("weight")), units_(at.spec.units) {
    const memory::dims dims = at.input().get_desc().dims();
    input_ = InLayout(at.context, at.input(), PlainDesc(dims), forward_);
    values_ = Weights(*weight_, Table());
    output_ = LentMemory(at.context, PlainDesc({dims[0], dims[1], units_}));
    rows_.resize(Floats(input_).size());
    Note("forward", "loops:plain");
  }

  void CompileBackward(const memory& output_gradient, bool want_input) override {
    output_gradient_ = InLayout(at_.context, output_gradient, output_.get_desc(), backward_);
    gradient_ = GradientOf(*weight_, Table(), after_);
    // Whole numbers have no slope.
    if (want_input) input_gradient_ = ZeroMemory(at_.context, input_.get_desc());
    Note("backward weights", "loops:plain");
  }

  void Forward(dnnl::stream& stream, const DrawKey& key) override {
    Layer::Forward(stream, key);
    stream.wait();
    const std::span<const float> numbers = Floats(input_);
    const float* const table = Floats(values_).data();
    float* const out = Floats(output_).data();
    const auto count = static_cast<std::int64_t>(numbers.size());
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t row = RowOf(numbers[static_cast<std::size_t>(i)]);
      rows_[static_cast<std::size_t>(i)] = row;
      if (row < 0) {
        std::fill_n(out + i * units_, units_, std::numeric_limits<float>::quiet_NaN());
      } else {
        std::copy_n(table + row * units_, units_, out + i * units_);
      }
    }
  }

  void Backward(dnnl::stream& stream) override {
    Layer::Backward(stream);
    stream.wait();
    const float* const from = Floats(output_gradient_).data();
    const std::span<float> sums = Floats(gradient_);
    std::ranges::fill(sums, 0.0F);
    const auto count = static_cast<std::int64_t>(rows_.size());
#pragma omp parallel for schedule(static)
    for (std::int64_t column = 0; column < units_; column += kColumnsAtOnce) {
      const std::int64_t columns = std::min(kColumnsAtOnce, units_ - column);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t row = rows_[static_cast<std::size_t>(i)];
        if (row < 0) continue;
        AddTo(sums.data() + row * units_ + column, from + i * units_ + column, columns);
      }
    }
    Run(after_, stream);
  }

 private:
  memory::desc Table() const {
    return PlainDesc({at_.spec.entries, units_});
  }

  std::int64_t RowOf(float number) const {
    const bool in_range = number >= 0 && number < static_cast<float>(at_.spec.entries);
    const std::int64_t row = in_range ? static_cast<std::int64_t>(number) : -1;
    return static_cast<float>(row) == number ? row : -1;
  }

  Parameter* const weight_;
  const std::int64_t units_;
  memory input_, values_, output_gradient_, gradient_;
  Steps after_;
  std::vector<std::int64_t> rows_;  // what each place of the batch names; -1: none
};

}  // namespace

std::unique_ptr<Layer> MakeEmbedding(const LayerContext& at) {
  return std::make_unique<Embedding>(at);
}

}  // namespace fx::onednn
