// upsample against the coordinates PyTorch documents for align_corners=False.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "tests/numeric/one_layer.h"

namespace fx::test {
namespace {

constexpr std::int64_t kHeight = 3, kWidth = 4;

// Of an image of kHeight x kWidth, the border goes on forever.
double PixelAt(const double* image, double y, double x) {
  const auto row = static_cast<std::ptrdiff_t>(std::clamp(y, 0.0, kHeight - 1.0));
  const auto column = static_cast<std::ptrdiff_t>(std::clamp(x, 0.0, kWidth - 1.0));
  return image[row * kWidth + column];
}

double BilinearAt(const double* image, double y, double x) {
  const double row = std::floor(y), column = std::floor(x);
  const double down = y - row, right = x - column;
  return (1 - down) * (1 - right) * PixelAt(image, row, column) +
         (1 - down) * right * PixelAt(image, row, column + 1) +
         down * (1 - right) * PixelAt(image, row + 1, column) +
         down * right * PixelAt(image, row + 1, column + 1);
}

Definition UpsampleBy(std::int64_t down, std::int64_t across, Interpolation interpolation) {
  return [=](const LayerInput& at) {
    const Values& x = at.inputs[0];
    Values output;
    for (std::size_t image = 0; image < x.size(); image += kHeight * kWidth) {
      for (std::int64_t r = 0; r < kHeight * down; ++r) {
        for (std::int64_t c = 0; c < kWidth * across; ++c) {
          const double row = (static_cast<double>(r) + 0.5) / static_cast<double>(down);
          const double column = (static_cast<double>(c) + 0.5) / static_cast<double>(across);
          output.push_back(interpolation == Interpolation::kNearest
                               ? PixelAt(&x[image], std::floor(row), std::floor(column))
                               : BilinearAt(&x[image], row - 0.5, column - 0.5));
        }
      }
    }
    return output;
  };
}

void Check(std::int64_t down, std::int64_t across, Interpolation interpolation,
           bool channels_last) {
  CheckLayer({.spec = {.type = LayerType::kUpsample,
                       .scale = {down, across},
                       .interpolation = interpolation},
              .inputs = {{2, kHeight, kWidth}},
              .channels_last = channels_last},
             UpsampleBy(down, across, interpolation));
}

TEST(Upsample, CopiesTheNearestPixel) {
  Check(2, 2, Interpolation::kNearest, true);
}
TEST(Upsample, CopiesTheNearestPixelByOtherFactors) {
  Check(3, 5, Interpolation::kNearest, false);
}
TEST(Upsample, BlendsTheFourPixelsAround) {
  Check(2, 2, Interpolation::kBilinear, true);
}
TEST(Upsample, BlendsTheFourPixelsAroundByOtherFactors) {
  Check(3, 4, Interpolation::kBilinear, false);
}
TEST(Upsample, BlendsNothingByOne) {
  Check(1, 2, Interpolation::kBilinear, false);
}

}  // namespace
}  // namespace fx::test
