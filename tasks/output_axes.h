// How a network's output falls into classes, as losses and metrics look at it.
#pragma once

#include <cstddef>

#include "core/base/error.h"
#include "core/tensor/tensor.h"

namespace fx {

// [classes] has one place, [classes, height, width] has height x width, and [time, classes] has
// time. In a batch of plain row-major outputs, class c at place p of sample s is at
// s * size() + c * class_stride + p * place_stride.
struct OutputAxes {
  std::size_t classes = 1, places = 1;
  std::size_t class_stride = 1, place_stride = 1;

  explicit OutputAxes(const Shape& output) {
    FX_CHECK(!output.empty());
    const auto size = static_cast<std::size_t>(NumElements(output));
    const bool last = output.size() == 2;
    classes = static_cast<std::size_t>(last ? output.back() : output.front());
    places = size / classes;
    class_stride = last ? 1 : places;
    place_stride = last ? classes : 1;
  }

  std::size_t size() const { return classes * places; }
};

}  // namespace fx
