// How often a batch changes its layout: a reorder computes nothing, and is a pass over memory.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tasks/onednn/network.h"
#include "tasks/task_runner.h"
#include "tests/support/must.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

constexpr std::int64_t kBatch = 24;  // unlike any extent of a weight

struct Reorders {
  std::int64_t values = 0;   // of samples and what becomes of them, and their gradients
  std::int64_t weights = 0;  // and of their gradients
};

Reorders ReordersOf(const NetworkSpec& network) {
  const NetworkSpec spec = onednn::Reordered(network);
  onednn::Context context;
  std::vector<onednn::Parameter> parameters = onednn::MakeParameters(spec);
  const auto compiled = Must(onednn::Network::Compile(spec, context, parameters, kBatch, true));
  Reorders reorders;
  for (const onednn::Step* const step : compiled->Primitives()) {
    if (step->primitive.get_kind() != dnnl::primitive::kind::reorder) continue;
    const bool batch = step->arguments.at(DNNL_ARG_FROM).get_desc().dims().front() == kBatch;
    ++(batch ? reorders.values : reorders.weights);
  }
  return reorders;
}

NetworkSpec Cnn(const Shape& input) {
  return MakeNetwork(
      input, {Conv2d("conv1", 32, 5, 2), Relu("relu1"), MaxPool("pool1", 2),
              Conv2d("conv2", 64, 5, 2), Relu("relu2"), MaxPool("pool2", 2), Flatten("flatten"),
              Dense("dense1", 512), Relu("relu3"), Dense("head", 10)});
}

// One channel lies the same either way, and all else stays channels-last down to the dense layers,
// whose weights are kept in that order. What is left is small: the gradients of the convolutions'
// weights, which oneDNN may make in another blocking than the forward pass reads, and the weights
// of the second, which the gradient of its input wants transposed.
TEST(Reorders, OfACnnAreNoneOfItsValuesAndThreeOfItsWeights) {
  const Reorders reorders = ReordersOf(Cnn({1, 28, 28}));
  EXPECT_EQ(reorders.values, 0);
  EXPECT_LE(reorders.weights, 3);
}

// The samples become bfloat16 on their way in, and the gradient of the loss on its way back.
TEST(Reorders, InBfloat16AreThoseOfItsTwoEnds) {
  NetworkSpec network = Cnn({1, 28, 28});
  network.precision = Precision::kBfloat16;
  network.precision = PrecisionHere(network);
  EXPECT_EQ(ReordersOf(network).values, network.precision == Precision::kBfloat16 ? 2 : 0);
}

TEST(Reorders, OfColourImagesAreOneMoreWhichPutsTheirChannelsLast) {
  EXPECT_EQ(ReordersOf(Cnn({3, 32, 32})).values, 1);
}

TEST(Reorders, OfDenseLayersAreNone) {
  const Reorders reorders =
      ReordersOf(MakeNetwork({784}, {Dense("one", 200), Relu("relu"), Dense("two", 200),
                                     Relu("relu2"), Dense("three", 10)}));
  EXPECT_EQ(reorders.values, 0);
  EXPECT_EQ(reorders.weights, 0);
}

}  // namespace
}  // namespace fx::test
