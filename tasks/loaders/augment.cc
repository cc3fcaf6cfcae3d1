#include "tasks/loaders/augment.h"

#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "core/base/random.h"

namespace fx {
namespace {

// One channel of an image, with 0 around it.
class Plane {
 public:
  Plane(std::span<const float> pixels, std::int64_t height, std::int64_t width)
      : pixels_(pixels), height_(height), width_(width) {}

  float At(std::int64_t y, std::int64_t x) const {
    if (y < 0 || y >= height_ || x < 0 || x >= width_) return 0;
    return pixels_[static_cast<std::size_t>(y * width_ + x)];
  }

  float Nearest(double y, double x) const { return At(std::llround(y), std::llround(x)); }

  float Interpolated(double y, double x) const {
    const double top = std::floor(y);
    const double left = std::floor(x);
    const auto down = static_cast<float>(y - top);
    const auto across = static_cast<float>(x - left);
    const auto i = static_cast<std::int64_t>(top);
    const auto j = static_cast<std::int64_t>(left);
    const float upper = At(i, j) * (1 - across) + At(i, j + 1) * across;
    const float lower = At(i + 1, j) * (1 - across) + At(i + 1, j + 1) * across;
    return upper * (1 - down) + lower * down;
  }

 private:
  std::span<const float> pixels_;
  std::int64_t height_, width_;
};

// Where the pixels of the varied image come from.
class Origin {
 public:
  Origin(const Variation& variation, std::int64_t height, std::int64_t width)
      : variation_(variation),
        height_(height),
        width_(width),
        sine_(std::sin(variation.turn)),
        cosine_(std::cos(variation.turn)) {}

  std::int64_t Row(std::int64_t y) const {
    return variation_.flip_vertical ? height_ - 1 - (y - variation_.down) : y - variation_.down;
  }
  std::int64_t Column(std::int64_t x) const {
    return variation_.flip_horizontal ? width_ - 1 - (x - variation_.right) : x - variation_.right;
  }

  // The same when it is turned, too: y and x between pixels.
  void Turned(std::int64_t y, std::int64_t x, double& row, double& column) const {
    const double middle_y = static_cast<double>(height_ - 1) / 2;
    const double middle_x = static_cast<double>(width_ - 1) / 2;
    const double dy = static_cast<double>(y - variation_.down) - middle_y;
    const double dx = static_cast<double>(x - variation_.right) - middle_x;
    row = dy * cosine_ + dx * sine_;
    column = dx * cosine_ - dy * sine_;
    row = (variation_.flip_vertical ? -row : row) + middle_y;
    column = (variation_.flip_horizontal ? -column : column) + middle_x;
  }

 private:
  const Variation& variation_;
  std::int64_t height_, width_;
  double sine_, cosine_;
};

}  // namespace

Variation DrawVariation(const AugmentSpec& spec, std::uint64_t draw, std::uint32_t index) {
  RandomStream draws(draw, "augment", index);
  const std::uint32_t coins = draws.NextU32();
  Variation variation;
  const bool horizontal = spec.flip == Flip::kHorizontal || spec.flip == Flip::kBoth;
  const bool vertical = spec.flip == Flip::kVertical || spec.flip == Flip::kBoth;
  variation.flip_horizontal = horizontal && (coins & 1U) != 0;
  variation.flip_vertical = vertical && (coins & 2U) != 0;
  const auto shifts = static_cast<std::uint64_t>(2 * spec.crop_padding + 1);
  variation.down = static_cast<std::int64_t>(draws.Below(shifts)) - spec.crop_padding;
  variation.right = static_cast<std::int64_t>(draws.Below(shifts)) - spec.crop_padding;
  const double degrees = (2 * static_cast<double>(draws.NextFloat()) - 1) * spec.rotate;
  variation.turn = degrees * std::numbers::pi / 180;
  return variation;
}

void Vary(const Variation& variation, const Shape& shape, Between between,
          std::span<const float> from, std::span<float> to) {
  FX_CHECK(shape.size() == 3 && from.size() == to.size());
  const std::int64_t height = shape[1];
  const std::int64_t width = shape[2];
  const auto size = static_cast<std::size_t>(height * width);
  const Origin origin(variation, height, width);
  auto out = to.begin();
  for (std::size_t c = 0; c < static_cast<std::size_t>(shape[0]); ++c) {
    const Plane plane(from.subspan(c * size, size), height, width);
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x, ++out) {
        if (variation.turn == 0) {
          *out = plane.At(origin.Row(y), origin.Column(x));
          continue;
        }
        double row = 0, column = 0;
        origin.Turned(y, x, row, column);
        *out = between == Between::kNearest ? plane.Nearest(row, column)
                                            : plane.Interpolated(row, column);
      }
    }
  }
}

}  // namespace fx
