// What a network needs between its layers: as much as is alive at the same time.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tasks/onednn/network.h"
#include "tests/support/must.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

constexpr std::int64_t kBatch = 16;
constexpr std::size_t kLayers = 8;
// What each layer of Chain puts out.
constexpr std::size_t kOutput = kBatch * 8 * 32 * 32 * sizeof(float);

NetworkSpec Chain() {
  std::vector<LayerSpec> layers;
  for (std::size_t i = 0; i < kLayers; ++i) {
    layers.push_back(Conv2d("conv" + std::to_string(i), 8, 3, 1));
  }
  layers.push_back({.type = LayerType::kGlobalAvgPool, .name = "mean"});
  return MakeNetwork({8, 32, 32}, layers);
}

std::size_t PeakOf(const NetworkSpec& network, const std::vector<bool>& trainings) {
  onednn::Context context;
  std::vector<onednn::Parameter> parameters = onednn::MakeParameters(network);
  for (const bool training : trainings) {
    Must(onednn::Network::Compile(network, context, parameters, kBatch, training));
  }
  return context.arena().peak();
}

TEST(Memory, OfEvaluationIsWhatTwoLayersPutOut) {
  // The sample, which stays, once as it came and once with its channels last.
  EXPECT_LE(PeakOf(Chain(), {false}), 4 * kOutput);
}

// All outputs are needed on the way back; gradients move into the room of outputs that are done
// with.
TEST(Memory, OfTrainingIsThatOfAllOutputsAndTwoGradients) {
  EXPECT_GE(PeakOf(Chain(), {true}), kLayers * kOutput);
  EXPECT_LE(PeakOf(Chain(), {true}), (2 + kLayers + 2) * kOutput + kOutput / 2);
}

TEST(Memory, OfNetworksThatTakeTurnsIsThatOfTheLargest) {
  EXPECT_EQ(PeakOf(Chain(), {true, false, true}), PeakOf(Chain(), {true}));
}

}  // namespace
}  // namespace fx::test
