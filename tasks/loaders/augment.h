// Training images varied at random: flipped, shifted, turned.
//
// What happens to an image is a function of a draw's number (the training's seed, round, epoch and
// site) and of its index: the same on any number of threads, and after a restart.
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/tensor.h"
#include "plan/data_spec.h"

namespace fx {

// One image's variation.
struct Variation {
  bool flip_horizontal = false, flip_vertical = false;
  std::int64_t down = 0, right = 0;  // pixels
  double turn = 0;                   // radians, counter-clockwise, around the middle
};

Variation DrawVariation(const AugmentSpec& spec, std::uint64_t draw, std::uint32_t index);

// Writes the image `from` of `shape` [channels, height, width], flipped, then turned, then shifted,
// to `to`. Turned pixels are interpolated between the four nearest, or are the nearest (masks).
// What comes in from outside is 0.
enum class Between { kInterpolate, kNearest };
void Vary(const Variation& variation, const Shape& shape, Between between,
          std::span<const float> from, std::span<float> to);

}  // namespace fx
