// How fast one core folds updates, beside how fast it can read memory at all.
//
// `updates` is bytes of update consumed a second, `traffic` the same with the current model, which
// is read too; each also as a share of what the core reads in the same minute. A fold that misses
// every cache cannot have more than 1 of `traffic`.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <span>
#include <vector>

#include "aggregator/functions/weighted_average.h"

namespace fx::aggregator {
namespace {

constexpr std::size_t kBlock = 64 << 10;  // elements, as in the aggregate job
constexpr std::size_t kReadBytes = 400 << 20;

[[gnu::target_clones("avx512f", "avx2", "default")]] std::uint64_t SumOf(
    std::span<const std::uint64_t> memory) {
  std::array<std::uint64_t, 32> lanes{};
  for (std::size_t i = 0; i + lanes.size() <= memory.size(); i += lanes.size()) {
    for (std::size_t k = 0; k < lanes.size(); ++k) lanes[k] += memory[i + k];
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : lanes) sum += lane;
  return sum;
}

// Of this process: what others take of the core does not count.
double Seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Bytes a second, one pass.
double ReadRate() {
  static const std::vector<std::uint64_t> memory(kReadBytes / sizeof(std::uint64_t), 1);
  const double begin = Seconds();
  benchmark::DoNotOptimize(SumOf(memory));
  return static_cast<double>(kReadBytes) / (Seconds() - begin);
}

void FoldOnce(const WeightedAverage& average, std::span<const float> base,
              const std::vector<std::vector<float>>& updates, std::span<float> out) {
  for (std::size_t begin = 0; begin < base.size(); begin += kBlock) {
    const std::size_t count = std::min(kBlock, base.size() - begin);
    std::vector<std::span<const float>> parts;
    for (const auto& update : updates) parts.push_back(std::span(update).subspan(begin, count));
    average.Fold({.base = base.subspan(begin, count), .updates = parts}, out.first(count));
    benchmark::ClobberMemory();
  }
}

// range(0) updates of range(1) elements each. Passes of reading and of folding alternate, because
// what a shared machine gives changes from second to second.
void FoldUpdates(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const auto size = static_cast<std::size_t>(state.range(1));
  const std::vector<float> base(size, 0.5F);
  const std::vector<std::vector<float>> updates(n, std::vector<float>(size, 0.25F));
  std::vector<float> out(kBlock);
  const WeightedAverage average(std::vector<double>(n, 1.0 / static_cast<double>(n)));
  const double model = static_cast<double>(size * sizeof(float));
  double fold_seconds = 0;
  double read_seconds = 0;
  for ([[maybe_unused]] const auto _ : state) {
    const double begin = Seconds();
    FoldOnce(average, base, updates, out);
    fold_seconds += Seconds() - begin;
    state.PauseTiming();
    read_seconds += static_cast<double>(kReadBytes) / ReadRate();
    state.ResumeTiming();
  }
  const auto passes = static_cast<double>(state.iterations());
  const double read = passes * static_cast<double>(kReadBytes) / read_seconds;
  const double fold = passes * model / fold_seconds;
  const auto k = static_cast<double>(n);
  state.counters["read"] =
      benchmark::Counter(read, benchmark::Counter::kDefaults, benchmark::Counter::kIs1000);
  state.counters["updates"] =
      benchmark::Counter(k * fold, benchmark::Counter::kDefaults, benchmark::Counter::kIs1000);
  state.counters["updates/read"] = k * fold / read;
  state.counters["traffic/read"] = (k + 1) * fold / read;
}

BENCHMARK(FoldUpdates)
    ->ArgsProduct({{4, 8, 16, 32, 64}, {10'000'000}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace fx::aggregator
