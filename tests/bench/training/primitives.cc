#include "tests/bench/training/primitives.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace fx::bench {
namespace {

using Kind = dnnl::primitive::kind;

std::string NameOf(Kind kind) {
  constexpr std::array kNames = {std::pair{Kind::reorder, "reorder"},
                                 std::pair{Kind::concat, "concat"},
                                 std::pair{Kind::sum, "sum"},
                                 std::pair{Kind::binary, "binary"},
                                 std::pair{Kind::eltwise, "eltwise"},
                                 std::pair{Kind::convolution, "convolution"},
                                 std::pair{Kind::deconvolution, "deconvolution"},
                                 std::pair{Kind::inner_product, "inner_product"},
                                 std::pair{Kind::matmul, "matmul"},
                                 std::pair{Kind::pooling, "pooling"},
                                 std::pair{Kind::softmax_v2, "softmax"},
                                 std::pair{Kind::batch_normalization, "batch_normalization"},
                                 std::pair{Kind::layer_normalization, "layer_normalization"},
                                 std::pair{Kind::resampling, "resampling"},
                                 std::pair{Kind::reduction, "reduction"},
                                 std::pair{Kind::rnn, "rnn"}};
  const auto found = std::ranges::find(kNames, kind, [](const auto& named) { return named.first; });
  return found == kNames.end() ? "other" : found->second;
}

bool Computes(Kind kind) {
  return kind != Kind::reorder && kind != Kind::concat && kind != Kind::sum &&
         kind != Kind::binary && kind != Kind::eltwise;
}

double Median(const onednn::Step& step, dnnl::stream& stream) {
  using Clock = std::chrono::steady_clock;
  std::array<double, 5> seconds{};
  for (double& one : seconds) {
    const auto begin = Clock::now();
    step.primitive.execute(stream, step.arguments);
    stream.wait();
    one = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  std::ranges::sort(seconds);
  return seconds[seconds.size() / 2];
}

}  // namespace

Primitives::Primitives(NetworkSpec network)
    : network_(onednn::Reordered(std::move(network))),
      parameters_(onednn::MakeParameters(network_)) {}

Result<std::unique_ptr<Primitives>> Primitives::Make(NetworkSpec network, std::int64_t batch) {
  omp_set_num_threads(network.threads);
  std::unique_ptr<Primitives> made(new Primitives(std::move(network)));
  made->compiled_ =
      TRY(onednn::Network::Compile(made->network_, made->context_, made->parameters_, batch, true));
  return made;
}

std::map<std::string, int> Primitives::Kinds() const {
  std::map<std::string, int> kinds;
  for (const onednn::Step* const step : compiled_->Primitives()) {
    ++kinds[NameOf(step->primitive.get_kind())];
  }
  return kinds;
}

double Primitives::Seconds() {
  double seconds = 0;
  for (const onednn::Step* const step : compiled_->Primitives()) {
    if (Computes(step->primitive.get_kind())) seconds += Median(*step, context_.stream());
  }
  return seconds;
}

}  // namespace fx::bench
