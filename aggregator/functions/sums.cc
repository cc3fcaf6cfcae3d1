#include "aggregator/functions/sums.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace fx::aggregator {
namespace {

class Forgetting : public AggregationFunction {
 public:
  explicit Forgetting(std::unique_ptr<AggregationFunction> function)
      : function_(std::move(function)) {}

  Needs needs() const override { return function_->needs(); }
  void Learn(std::span<const double> squares) override { function_->Learn(squares); }
  std::vector<float> Memories() const override { return function_->Memories(); }

  void Fold(const Block& block, std::span<float> out) const override {
    if (block.kind != Kind::kSum) return function_->Fold(block, out);
    std::ranges::fill(out, 0.0F);
  }

 private:
  const std::unique_ptr<AggregationFunction> function_;
};

}  // namespace

void FoldSums(const Block& block, std::span<float> out) {
  const double others = static_cast<double>(block.updates.size()) - 1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    double sum = 0;
    for (const std::span<const float> update : block.updates) sum += static_cast<double>(update[i]);
    out[i] = static_cast<float>(sum - others * static_cast<double>(block.base[i]));
  }
}

std::unique_ptr<AggregationFunction> ForgettingSums(std::unique_ptr<AggregationFunction> function) {
  return std::make_unique<Forgetting>(std::move(function));
}

}  // namespace fx::aggregator
