// How fast one core folds updates, beside how fast it can read memory at all.
//
// bytes_per_second is of update consumed. ReadMemory is the roof: a fold that misses every cache
// cannot be faster.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "aggregator/functions/weighted_average.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kBlock = 64 << 10;  // elements, as in the aggregate job

void ReadMemory(benchmark::State& state) {
  const std::vector<std::uint64_t> memory(static_cast<std::size_t>(state.range(0)) / 8, 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(std::accumulate(memory.begin(), memory.end(), std::uint64_t{0}));
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// range(0) updates of range(1) elements each.
void FoldUpdates(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto size = static_cast<std::size_t>(state.range(1));
  const std::vector<float> base(size, 0.5F);
  const std::vector<std::vector<float>> updates(n, std::vector<float>(size, 0.25F));
  std::vector<float> out(kBlock);
  const WeightedAverage average(std::vector<double>(n, 1.0 / static_cast<double>(n)));
  for (auto _ : state) {
    for (std::size_t begin = 0; begin < size; begin += kBlock) {
      const std::size_t count = std::min(kBlock, size - begin);
      std::vector<std::span<const float>> parts;
      for (const auto& update : updates) parts.push_back(std::span(update).subspan(begin, count));
      average.Fold({.base = std::span(base).subspan(begin, count), .updates = parts},
                   std::span(out).first(count));
      benchmark::ClobberMemory();
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(n * size * sizeof(float)));
}

BENCHMARK(ReadMemory)->Arg(400 << 20)->Unit(benchmark::kMillisecond);
BENCHMARK(FoldUpdates)
    ->ArgsProduct({{2, 8, 16, 32}, {10'000'000}})
    ->Args({8, 1'000'000})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fx::aggregator
