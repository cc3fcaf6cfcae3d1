// Training in bfloat16 beside the same in float32. Its numbers have 8 bits of mantissa, so that a
// product is off by a few parts in a thousand. Weights, their gradients and what is exchanged stay
// float32.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <string>
#include <vector>

#include "core/base/format.h"
#include "tests/numeric/drawn_data.h"
#include "tests/numeric/network_words.h"
#include "tests/numeric/random_network.h"
#include "tests/numeric/trainer.h"
#include "tests/support/must.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

NetworkSpec InBfloat16(NetworkSpec network) {
  network.precision = Precision::kBfloat16;
  return network;
}

// After the first step of SGD with momentum on the full batch, the momentum is the gradient.
std::vector<float> GradientOf(NetworkSpec network, const DrawnData& data) {
  network.optimizer = {.learning_rate = 1e-3, .momentum = 0.5};
  const auto runner = RunnerFor(network, data, data.size());
  const TaskSpec task = {.name = {"train"}, .metrics = {"loss"}, .batch_size = {}};
  Must(runner->Train(task, InRound(0)));
  std::vector<float> gradient;
  for (const NamedTensor& tensor : runner->GetOptimizerState()) {
    std::ranges::copy(tensor.tensor.floats(), std::back_inserter(gradient));
  }
  return gradient;
}

// Of an epoch whose last batch is a smaller one.
double LossAfterAnEpoch(NetworkSpec network, const DrawnData& data) {
  network.optimizer = {.learning_rate = 1e-3};
  const auto runner = RunnerFor(network, data, data.size() * 3 / 4);
  const TaskSpec train = {.name = {"train"}, .metrics = {"loss"}, .batch_size = {}};
  const TaskSpec validate = {.name = {"validate"},
                             .function = TaskFunction::kValidate,
                             .metrics = {"loss"},
                             .batch_size = {}};
  Must(runner->Train(train, InRound(0)));
  return Must(runner->Validate(validate, InRound(0))).metrics.front().value;
}

class Bfloat16 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (PrecisionHere(InBfloat16({})) != Precision::kBfloat16) {
      GTEST_SKIP() << "this processor has no bfloat16";
    }
  }
};

// Of all layers, losses and kinds of data: those of tests/numeric/random_network.h. Where a
// batch_norm follows, most of a gradient cancels, and what is left is less exact.
TEST_F(Bfloat16, GradientsOfRandomNetworksAreThoseOfFloat32ButForRounding) {
  constexpr std::uint64_t kSeeds = 90;
  std::vector<double> errors;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const NetworkSpec network = RandomNetwork(seed);
    const DrawnData data(network, 16, RandomStream(seed, "batch"));
    const std::vector<float> expected = GradientOf(network, data);
    errors.push_back(RelativeError(GradientOf(InBfloat16(network), data), expected));
    EXPECT_LT(errors.back(), 0.15) << "seed " << seed << "\n" << Describe(network);
    const double loss = LossAfterAnEpoch(network, data);
    EXPECT_NEAR(LossAfterAnEpoch(InBfloat16(network), data), loss, 0.03 * loss)
        << "seed " << seed << "\n"
        << Describe(network);
  }
  std::ranges::sort(errors);
  EXPECT_LT(errors[kSeeds / 2], 0.01);
  // Or nothing of it would have been computed in bfloat16.
  EXPECT_GT(errors[kSeeds / 2], 0.001);
}

// The share of a quarter of Fashion-MNIST's test images that two epochs over a quarter of the
// others get right.
double AccuracyOf(NetworkSpec network, std::uint64_t seed, Precision precision) {
  network.seed = seed;
  network.precision = precision;
  constexpr std::int64_t kBatch = 32;
  const auto data = Must(MakeDataLoader({.type = "IdxDataLoader",
                                         .dataset = "/usr/share/datasets/fashion-mnist",
                                         .batch_size = kBatch,
                                         .collaborator_count = 4},
                                        "1"));
  const auto runner = RunnerFor(network, *data, kBatch);
  Must(runner->Train(TrainTask(2), InRound(0)));
  return Must(runner->Validate(ValidateTask(), InRound(0))).metrics.front().value;
}

// One run differs from the next by a point, whatever it computes in: their means are compared.
TEST_F(Bfloat16, LearnsFashionMnistAsWellAsFloat32WithinHalfAPoint) {
  const NetworkSpec network = MakeNetwork({1, 28, 28},
                                          {Flatten("flatten"), Dense("one", 200), Relu("relu"),
                                           Dense("two", 200), Relu("relu2"), Dense("three", 10)},
                                          {.learning_rate = 0.05});
  constexpr int kSeeds = 8;
  double float32 = 0, bfloat16 = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    float32 += AccuracyOf(network, seed, Precision::kFloat32) / kSeeds;
    bfloat16 += AccuracyOf(network, seed, Precision::kBfloat16) / kSeeds;
  }
  EXPECT_GT(float32, 0.8);
  EXPECT_NEAR(bfloat16, float32, 0.005);
  std::printf("float32 %.4f, bfloat16 %.4f\n", float32, bfloat16);
}

// numeric.without_bfloat16 runs it on any processor.
TEST(Precision, IsFloat32WhereTheProcessorHasNoBfloat16) {
  if (PrecisionHere(InBfloat16({})) == Precision::kBfloat16) {
    GTEST_SKIP() << "this processor has bfloat16";
  }
  const NetworkSpec network = RandomNetwork(1);
  const DrawnData data(network, 16, RandomStream(1, "batch"));
  EXPECT_EQ(GradientOf(InBfloat16(network), data), GradientOf(network, data));
}

}  // namespace
}  // namespace fx::test
