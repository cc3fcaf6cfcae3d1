#include "aggregator/functions/weighted_average.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "aggregator/functions/registry.h"
#include "core/base/error.h"

namespace fx::aggregator {
namespace {

// 32 KiB of sums: they stay in the first-level cache while every update streams past once.
constexpr std::size_t kTile = 4096;

// The same loops for each kind of processor, chosen when the program starts. No multiply-add is
// fused (see CMakeLists.txt), so that all of them give the same bits.
#if defined(__SANITIZE_THREAD__)  // whose runtime is not up yet when the choice is made
#define FX_FOR_EACH_PROCESSOR
#else
#define FX_FOR_EACH_PROCESSOR [[gnu::target_clones("avx512f", "avx2", "default")]]
#endif

// sums += w_0 * x_0, then w_1 * x_1, and so on: K updates in one pass over the sums, which halves
// the time of a pass for each and adds in the same order.
template <std::size_t K>
[[gnu::always_inline]] inline void AddScaled(const double* weights,
                                             const std::span<const float>* updates,
                                             std::size_t begin, std::span<double> sums) {
  std::array<double, K> w;
  std::array<const float*, K> x;
  for (std::size_t k = 0; k < K; ++k) {
    w[k] = weights[k];
    x[k] = updates[k].data() + begin;
  }
  double* __restrict const out = sums.data();
  const std::size_t size = sums.size();
  for (std::size_t i = 0; i < size; ++i) {
    double sum = out[i];
    for (std::size_t k = 0; k < K; ++k) sum += w[k] * static_cast<double>(x[k][i]);
    out[i] = sum;
  }
}

FX_FOR_EACH_PROCESSOR void AddAll(std::span<const double> weights,
                                  std::span<const std::span<const float>> updates,
                                  std::size_t begin, std::span<double> sums) {
  std::size_t k = 0;
  for (; k + 4 <= weights.size(); k += 4) AddScaled<4>(&weights[k], &updates[k], begin, sums);
  for (; k < weights.size(); ++k) AddScaled<1>(&weights[k], &updates[k], begin, sums);
}

float Next(float base, double mean) {
  return base + static_cast<float>(mean - static_cast<double>(base));
}

FX_FOR_EACH_PROCESSOR void Finish(const double* __restrict sums, double total,
                                  const float* __restrict base, std::span<float> next) {
  float* __restrict const out = next.data();
  const std::size_t size = next.size();
  for (std::size_t i = 0; i < size; ++i) out[i] = Next(base[i], sums[i] / total);
}

}  // namespace

double PairwiseSum(std::span<const double> terms) {
  const std::size_t n = terms.size();
  if (n < 8) {
    double sum = 0;
    for (const double term : terms) sum += term;
    return sum;
  }
  if (n > 128) {
    const std::size_t half = n / 2 - (n / 2) % 8;
    return PairwiseSum(terms.first(half)) + PairwiseSum(terms.subspan(half));
  }
  std::array<double, 8> s{};
  std::copy_n(terms.begin(), 8, s.begin());
  std::size_t i = 8;
  for (; i + 8 <= n; i += 8) {
    for (std::size_t k = 0; k < 8; ++k) s[k] += terms[i + k];
  }
  double sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
  for (; i < n; ++i) sum += terms[i];
  return sum;
}

WeightedAverage::WeightedAverage(std::vector<double> weights)
    : weights_(std::move(weights)), total_(PairwiseSum(weights_)) {
  FX_CHECK(total_ > 0);
}

void WeightedAverage::Fold(const Block& block, std::span<float> out) const {
  FX_CHECK(block.updates.size() == weights_.size() && block.base.size() == out.size());
  if (block.whole_scalar) {
    out.front() = Next(block.base.front(), MeanOfScalar(block));
    return;
  }
  alignas(64) std::array<double, kTile> tile;
  for (std::size_t begin = 0; begin < out.size(); begin += kTile) {
    const std::span<double> sums = std::span(tile).first(std::min(kTile, out.size() - begin));
    std::ranges::fill(sums, 0.0);
    AddAll(weights_, block.updates, begin, sums);
    Finish(sums.data(), total_, block.base.data() + begin, out.subspan(begin, sums.size()));
  }
}

void WeightedAverage::Means(const Block& block, std::size_t begin, std::span<double> means) const {
  FX_CHECK(block.updates.size() == weights_.size());
  if (block.whole_scalar) {
    means.front() = MeanOfScalar(block);
    return;
  }
  std::ranges::fill(means, 0.0);
  AddAll(weights_, block.updates, begin, means);
  for (double& mean : means) mean /= total_;
}

double WeightedAverage::MeanOfScalar(const Block& block) const {
  std::vector<double> terms;
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    terms.push_back(weights_[k] * static_cast<double>(block.updates[k].front()));
  }
  return PairwiseSum(terms) / total_;
}

FunctionRow WeightedAverageRow() {
  return {.name = "WeightedAverage",
          .alias = {},
          .settings = {},
          .make = [](const Settings&,
                     const Contributors& contributors) -> std::unique_ptr<AggregationFunction> {
            return std::make_unique<WeightedAverage>(contributors.shares);
          }};
}

}  // namespace fx::aggregator
