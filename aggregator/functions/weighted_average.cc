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

// A stretch of the block: its weighted sums so far, and what becomes of them in the end.
struct Tile {
  const double* weights;
  const std::span<const float>* updates;
  std::size_t begin, size;
  double* sums;
  double total;
  const float* base;
  float* next;
};

float Next(float base, double mean) {
  return base + static_cast<float>(mean - static_cast<double>(base));
}

// sums += w_k * x_k, then w_k+1 * x_k+1, and so on: K updates in one pass over the sums, which adds
// in the same order. The first pass starts at zero, and the last does not keep sums: it makes the
// next model of them while memory is waited for.
template <std::size_t K, bool kFirst, bool kLast>
[[gnu::always_inline]] inline void Pass(const Tile& tile, std::size_t from) {
  std::array<double, K> w;
  std::array<const float*, K> x;
  for (std::size_t k = 0; k < K; ++k) {
    w[k] = tile.weights[from + k];
    x[k] = tile.updates[from + k].data() + tile.begin;
  }
  double* __restrict const sums = tile.sums;
  const float* __restrict const base = tile.base;
  float* __restrict const next = tile.next;
  const double total = tile.total;
  const std::size_t size = tile.size;
  for (std::size_t i = 0; i < size; ++i) {
    double sum = kFirst ? 0.0 : sums[i];
    for (std::size_t k = 0; k < K; ++k) sum += w[k] * static_cast<double>(x[k][i]);
    if constexpr (kLast) {
      next[i] = Next(base[i], sum / total);
    } else {
      sums[i] = sum;
    }
  }
}

template <std::size_t K, bool kLast>
[[gnu::always_inline]] inline void PassFrom(const Tile& tile, std::size_t from) {
  from == 0 ? Pass<K, true, kLast>(tile, from) : Pass<K, false, kLast>(tile, from);
}

template <bool kLast>
[[gnu::always_inline]] inline void AddAll(const Tile& tile, std::size_t count) {
  std::size_t k = 0;
  for (; count - k > 4; k += 4) PassFrom<4, false>(tile, k);
  switch (count - k) {
    case 1:
      return PassFrom<1, kLast>(tile, k);
    case 2:
      return PassFrom<2, kLast>(tile, k);
    case 3:
      return PassFrom<3, kLast>(tile, k);
    default:
      return PassFrom<4, kLast>(tile, k);
  }
}

FX_FOR_EACH_PROCESSOR void SumTile(const Tile& tile, std::size_t count) {
  AddAll<false>(tile, count);
}

FX_FOR_EACH_PROCESSOR void FoldTile(const Tile& tile, std::size_t count) {
  AddAll<true>(tile, count);
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
  alignas(64) std::array<double, kTile> sums;
  for (std::size_t begin = 0; begin < out.size(); begin += kTile) {
    FoldTile({.weights = weights_.data(),
              .updates = block.updates.data(),
              .begin = begin,
              .size = std::min(kTile, out.size() - begin),
              .sums = sums.data(),
              .total = total_,
              .base = block.base.data() + begin,
              .next = out.data() + begin},
             weights_.size());
  }
}

void WeightedAverage::Means(const Block& block, std::size_t begin, std::span<double> means) const {
  FX_CHECK(block.updates.size() == weights_.size());
  if (block.whole_scalar) {
    means.front() = MeanOfScalar(block);
    return;
  }
  SumTile({.weights = weights_.data(),
           .updates = block.updates.data(),
           .begin = begin,
           .size = means.size(),
           .sums = means.data(),
           .total = total_,
           .base = nullptr,
           .next = nullptr},
          weights_.size());
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
          },
          .meaning =
              "the mean of all, each weighing as its share of the samples (McMahan et al. 2017, "
              "FedAvg)"};
}

}  // namespace fx::aggregator
