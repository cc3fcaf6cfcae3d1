#include <gtest/gtest.h>

#include <cmath>

#include "tasks/task_runner.h"
#include "tests/support/matchers.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

NetworkSpec TwoLayers() {
  return MakeNetwork({3, 4, 4}, {Conv2d("conv", 50, 3, 1), Flatten("flatten"), Dense("dense", 10)});
}

// The extremes of many uniform draws lie close to the bounds.
void ExpectUniform(const Tensor& tensor, double bound, double slack) {
  const auto [low, high] = std::ranges::minmax(tensor.floats());
  EXPECT_LE(high, bound);
  EXPECT_GE(low, -bound);
  EXPECT_GT(high, bound * (1 - slack));
  EXPECT_LT(low, -bound * (1 - slack));
}

TEST(InitialModel, HasThePlansLayout) {
  const NetworkSpec network = TwoLayers();
  EXPECT_EQ(LayoutOf(InitialModel(network)), ParameterLayout(network));
}

TEST(InitialModel, DrawsWithinTheBoundsOfTheFanIn) {
  const Model model = InitialModel(TwoLayers());
  ExpectUniform(model[0].tensor, std::sqrt(6.0 / (3 * 3 * 3)), 0.01);
  ExpectUniform(model[1].tensor, 1 / std::sqrt(3.0 * 3 * 3), 0.2);
  ExpectUniform(model[2].tensor, std::sqrt(6.0 / (50 * 4 * 4)), 0.01);
  ExpectUniform(model[3].tensor, 1 / std::sqrt(50.0 * 4 * 4), 1);
}

TEST(InitialModel, DependsOnTheSeedAndNothingElse) {
  NetworkSpec network = TwoLayers();
  const Model one = InitialModel(network), again = InitialModel(network);
  network.seed = 2;
  const Model other = InitialModel(network);
  for (std::size_t t = 0; t < one.size(); ++t) {
    EXPECT_TRUE(std::ranges::equal(one[t].tensor.floats(), again[t].tensor.floats()));
    EXPECT_FALSE(std::ranges::equal(one[t].tensor.floats(), other[t].tensor.floats()));
  }
}

}  // namespace
}  // namespace fx::test
