#include "tasks/loaders/augment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <set>
#include <vector>

namespace fx::test {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::Pointwise;

// 1 2 3 / 4 5 6
const std::vector<float> kImage = {1, 2, 3, 4, 5, 6};

std::vector<float> Varied(const Variation& variation, const Shape& shape = {1, 2, 3},
                          const std::vector<float>& image = kImage) {
  std::vector<float> out(image.size());
  Vary(variation, shape, Between::kInterpolate, image, out);
  return out;
}

TEST(Augment, FlipsAndShifts) {
  EXPECT_EQ(Varied({}), kImage);
  EXPECT_THAT(Varied({.flip_horizontal = true}), ElementsAre(3, 2, 1, 6, 5, 4));
  EXPECT_THAT(Varied({.flip_vertical = true}), ElementsAre(4, 5, 6, 1, 2, 3));
  EXPECT_THAT(Varied({.down = 1}), ElementsAre(0, 0, 0, 1, 2, 3));
  EXPECT_THAT(Varied({.right = -1}), ElementsAre(2, 3, 0, 5, 6, 0));
  EXPECT_THAT(Varied({.flip_horizontal = true, .right = 1}), ElementsAre(0, 3, 2, 0, 6, 5));
}

TEST(Augment, TurnsAroundTheMiddleCounterClockwise) {
  const Shape square = {1, 2, 2};
  const std::vector<float> image = {1, 2, 3, 4};
  const auto turned = [&](double degrees) {
    return Varied({.turn = degrees * std::numbers::pi / 180}, square, image);
  };
  const std::vector<float> quarter = {2, 4, 1, 3}, half = {4, 3, 2, 1};
  EXPECT_THAT(turned(90), Pointwise(FloatNear(1e-5F), quarter));
  EXPECT_THAT(turned(180), Pointwise(FloatNear(1e-5F), half));
}

TEST(Augment, MovesEveryChannelAlike) {
  EXPECT_THAT(Varied({.flip_horizontal = true}, {2, 1, 3}), ElementsAre(3, 2, 1, 6, 5, 4));
}

TEST(Augment, KeepsMasksToTheirValues) {
  std::vector<float> mask(64), out(64);
  for (std::size_t i = 0; i < 64; ++i) mask[i] = i % 8 < 4 ? 1 : 0;
  Vary({.turn = 0.3}, {1, 8, 8}, Between::kNearest, mask, out);
  for (const float value : out) EXPECT_TRUE(value == 0 || value == 1) << value;
  EXPECT_NE(out, mask);
}

TEST(Augment, DrawsWithinBoundsAndAgainTheSame) {
  const AugmentSpec spec = {.flip = Flip::kHorizontal, .crop_padding = 2, .rotate = 10};
  std::set<std::int64_t> shifts;
  int flips = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const Variation drawn = DrawVariation(spec, 7, i);
    EXPECT_FALSE(drawn.flip_vertical);
    EXPECT_LE(std::abs(drawn.turn), 10 * std::numbers::pi / 180);
    shifts.insert(drawn.down);
    flips += drawn.flip_horizontal ? 1 : 0;
    EXPECT_EQ(DrawVariation(spec, 7, i).turn, drawn.turn);
  }
  EXPECT_THAT(shifts, ElementsAre(-2, -1, 0, 1, 2));
  EXPECT_NEAR(flips, 500, 60);
  EXPECT_NE(DrawVariation(spec, 7, 1).turn, DrawVariation(spec, 8, 1).turn);
}

}  // namespace
}  // namespace fx::test
