// Each normalisation against its definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "tests/numeric/one_layer.h"
#include "tests/numeric/trainer.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

constexpr double kEpsilon = 1e-5;

struct Moments {
  double mean = 0, variance = 0;  // biased
};

// Of the values `belongs` picks by their place.
template <typename Belongs>
Moments MomentsOf(const Values& x, Belongs belongs) {
  double count = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!belongs(i)) continue;
    ++count;
    sum += x[i];
  }
  const double mean = sum / count;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (belongs(i)) squares += (x[i] - mean) * (x[i] - mean);
  }
  return {mean, squares / count};
}

// Values that share `set_of(place)` are brought to mean 0 and variance 1; then the weight and the
// bias of `channel_of(place)` apply.
template <typename SetOf, typename ChannelOf>
Definition Normalised(SetOf set_of, ChannelOf channel_of) {
  return [=](const LayerInput& at) {
    const Values& x = at.inputs[0];
    Values y(x.size());
    for (std::size_t first = 0; first < x.size(); ++first) {
      const auto alike = [&](std::size_t i) { return set_of(i) == set_of(first); };
      bool seen = false;
      for (std::size_t i = 0; i < first; ++i) seen = seen || alike(i);
      if (seen) continue;
      const Moments moments = MomentsOf(x, alike);
      for (std::size_t i = first; i < x.size(); ++i) {
        if (!alike(i)) continue;
        const double unit = (x[i] - moments.mean) / std::sqrt(moments.variance + kEpsilon);
        y[i] = unit * at.parameters.at("weight")[channel_of(i)] +
               at.parameters.at("bias")[channel_of(i)];
      }
    }
    return y;
  };
}

LayerSpec BatchNorm(std::string name = "norm") {
  return {.type = LayerType::kBatchNorm, .name = std::move(name)};
}

// Of [channels, pixels]; of features there is one pixel.
void CheckBatchNorm(Shape input, std::size_t channels, std::size_t pixels, bool channels_last) {
  const auto channel = [=](std::size_t i) { return i / pixels % channels; };
  CheckLayer({.spec = BatchNorm(),
              .inputs = {std::move(input)},
              .batch = 4,
              .channels_last = channels_last},
             Normalised(channel, channel));
}

TEST(BatchNorm, NormalisesEachChannel) {
  CheckBatchNorm({3, 2, 3}, 3, 6, false);
}
TEST(BatchNorm, NormalisesChannelsThatLieLast) {
  CheckBatchNorm({8, 2, 3}, 8, 6, true);
}
TEST(BatchNorm, NormalisesEachFeature) {
  CheckBatchNorm({5}, 5, 1, false);
}

TEST(BatchNorm, EvaluatesWithRunningStatistics) {
  CheckLayer({.spec = BatchNorm(), .inputs = {{3, 2, 3}}, .training = false},
             [](const LayerInput& at) {
               Values y = at.inputs[0];
               for (std::size_t i = 0; i < y.size(); ++i) {
                 const std::size_t c = i / 6 % 3;
                 y[i] = (y[i] - at.parameters.at("running_mean")[c]) /
                            std::sqrt(at.parameters.at("running_var")[c] + kEpsilon) *
                            at.parameters.at("weight")[c] +
                        at.parameters.at("bias")[c];
               }
               return y;
             });
}

TEST(LayerNorm, NormalisesEachSample) {
  CheckLayer({.spec = {.type = LayerType::kLayerNorm}, .inputs = {{7}}},
             Normalised([](std::size_t i) { return i / 7; }, [](std::size_t i) { return i % 7; }));
}
TEST(LayerNorm, NormalisesEachStep) {
  CheckLayer({.spec = {.type = LayerType::kLayerNorm}, .inputs = {{4, 5}}},
             Normalised([](std::size_t i) { return i / 5; }, [](std::size_t i) { return i % 5; }));
}

// Of six channels of six pixels.
void CheckGroupNorm(std::int64_t groups, bool channels_last) {
  const std::size_t group = 36 / static_cast<std::size_t>(groups);
  CheckLayer({.spec = {.type = LayerType::kGroupNorm, .groups = groups},
              .inputs = {{6, 2, 3}},
              .channels_last = channels_last},
             Normalised([=](std::size_t i) { return i / group; },
                        [](std::size_t i) { return i / 6 % 6; }));
}

TEST(GroupNorm, NormalisesEachGroup) {
  CheckGroupNorm(3, false);
}
TEST(GroupNorm, NormalisesGroupsThatLieChannelsLast) {
  CheckGroupNorm(2, true);
}
TEST(GroupNorm, OfOneGroupNormalisesTheSample) {
  CheckGroupNorm(1, true);
}
TEST(GroupNorm, OfAGroupAChannelNormalisesEachChannel) {
  CheckGroupNorm(6, true);
}

// The running statistics move by the momentum, the variance as an unbiased one.
TEST(BatchNorm, RunningStatisticsFollowTheBatches) {
  const NetworkSpec network = MakeNetwork({2}, {BatchNorm(), Dense("head", 3)});
  const MemoryLoader data(RandomSet({2}, 10, 3, 5));
  const auto runner = RunnerFor(network, data, 10);
  ASSERT_TRUE(runner->Train(TrainTask(2), InRound(0)));
  const Model trained = runner->GetParameters();
  for (std::size_t c = 0; c < 2; ++c) {
    Values column;
    for (std::size_t i = 0; i < 10; ++i) column.push_back(data.train().sample(i)[c]);
    const Moments moments = MomentsOf(column, [](std::size_t) { return true; });
    const double left = 0.9 * 0.9;  // after two batches, of 0 and 1
    ASSERT_EQ(trained[2].name, "norm.running_mean");
    EXPECT_NEAR(trained[2].tensor.floats()[c], (1 - left) * moments.mean, 1e-5);
    EXPECT_NEAR(trained[3].tensor.floats()[c], left + (1 - left) * moments.variance * 10 / 9, 1e-5);
  }
}

}  // namespace
}  // namespace fx::test
