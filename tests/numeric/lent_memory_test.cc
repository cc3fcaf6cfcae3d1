// What layers lend each other holds anything when a batch begins: what the batch before has left,
// or another network. On networks drawn at random, whatever it is may not change a result.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "core/base/random.h"
#include "tasks/onednn/network.h"
#include "tasks/onednn/optimizer.h"
#include "tasks/task_runner.h"
#include "tests/numeric/drawn_data.h"
#include "tests/numeric/random_network.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

constexpr std::uint64_t kNetworks = 120;
constexpr std::int64_t kBatch = 5;

// The networks' own has a rate of 0, which leaves every value as it is.
NetworkSpec WithDropout(NetworkSpec spec) {
  for (LayerSpec& layer : spec.layers) {
    if (layer.type == LayerType::kDropout) layer.rate = 0.3;
  }
  return spec;
}

NetworkSpec InPrecision(Precision precision, NetworkSpec spec) {
  spec.precision = precision;
  return spec;
}

// What a batch gives, to be compared bit for bit.
using Bits = std::vector<std::uint32_t>;

void Append(std::span<const float> values, Bits& bits) {
  std::ranges::transform(values, std::back_inserter(bits),
                         [](float value) { return std::bit_cast<std::uint32_t>(value); });
}

// A network, compiled for training and for evaluation in the same memory.
class Pair {
 public:
  Pair(std::uint64_t seed, Precision precision)
      : spec_(onednn::Reordered(InPrecision(precision, WithDropout(RandomNetwork(seed))))),
        batch_(spec_, kBatch, RandomStream(seed, "batch")),
        parameters_(onednn::MakeParameters(spec_)),
        training_(Must(onednn::Network::Compile(spec_, context_, parameters_, kBatch, true))),
        evaluation_(Must(onednn::Network::Compile(spec_, context_, parameters_, kBatch, false))) {
    RandomStream draws(seed, "parameters");
    for (const onednn::Parameter& parameter : parameters_) {
      Tensor drawn(parameter.shape);
      for (float& value : drawn.floats()) {
        value = parameter.trained ? static_cast<float>(0.3 * draws.NextNormal()) : 1;
      }
      onednn::FromTensor(context_, drawn, parameter.value);
    }
  }

  // Loss, outputs and gradients.
  Bits Train() {
    Bits bits = Forward(*training_);
    training_->Backward();
    for (const onednn::Parameter& parameter : parameters_) {
      if (parameter.trained) Append(onednn::Floats(parameter.gradient), bits);
    }
    // They move with every batch, and evaluation is to see the same ones.
    for (const onednn::Parameter& parameter : parameters_) {
      if (!parameter.trained) std::ranges::fill(onednn::Floats(parameter.value), 1.0F);
    }
    return bits;
  }
  Bits Evaluate() { return Forward(*evaluation_); }

  // All that is lent at any time.
  void Fill(std::uint8_t byte) {
    onednn::Arena& arena = context_.arena();
    arena.Restart();
    std::fill_n(arena.Take(arena.peak()), arena.peak(), std::byte{byte});
  }

 private:
  Bits Forward(onednn::Network& network) {
    network.LoadWeights();
    std::ranges::copy(batch_.samples(), network.samples().begin());
    std::ranges::copy(batch_.targets(), network.targets().begin());
    const onednn::LossSum loss = network.Forward({.seed = 7});
    Bits bits;
    Append(std::array{static_cast<float>(loss.sum)}, bits);
    Append(network.outputs(), bits);
    return bits;
  }

  const NetworkSpec spec_;
  const DrawnData batch_;
  onednn::Context context_;
  std::vector<onednn::Parameter> parameters_;
  std::unique_ptr<onednn::Network> training_, evaluation_;
};

bool AllFinite(const Bits& bits) {
  return std::ranges::all_of(bits,
                             [](std::uint32_t b) { return (b & 0x7F800000U) != 0x7F800000U; });
}

void ExpectTheSameWhateverIsInMemory(Precision precision) {
  // Threads that spin starve each other where tests run side by side.
  omp_set_num_threads(1);
  constexpr std::uint8_t kNaN = 0xFF, kHuge = 0x7E;
  for (std::uint64_t seed = 1; seed <= kNetworks; ++seed) {
    Pair pair(seed, precision);
    const Bits trained = pair.Train(), evaluated = pair.Evaluate();
    EXPECT_TRUE(AllFinite(trained)) << "network " << seed;
    EXPECT_TRUE(AllFinite(evaluated)) << "network " << seed;
    for (const std::uint8_t byte : {kNaN, kHuge}) {
      pair.Fill(byte);
      EXPECT_TRUE(pair.Train() == trained) << "network " << seed;
      pair.Fill(byte);
      EXPECT_TRUE(pair.Evaluate() == evaluated) << "network " << seed;
    }
  }
}

TEST(LentMemory, MayHoldAnythingWhenABatchBegins) {
  ExpectTheSameWhateverIsInMemory(Precision::kFloat32);
}

// In float32 once more where the processor has none.
TEST(LentMemory, MayHoldAnythingInBfloat16) {
  ExpectTheSameWhateverIsInMemory(PrecisionHere(InPrecision(Precision::kBfloat16, {})));
}

}  // namespace
}  // namespace fx::test
