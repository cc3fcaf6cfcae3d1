// Networks drawn at random, of every layer, loss and optimizer the runner has: what no list of
// examples would think of putting side by side.
#pragma once

#include <cstdint>

#include "plan/network_spec.h"

namespace fx::test {

// The same for the same seed; small; shapes inferred. Three kinds take turns: of images, of
// sequences and of plain features.
//
// What cannot be compared from one run to another is not drawn: dropout has a rate of 0, and
// adaptive optimizers have a larger epsilon than usual, or they would blow up to a full step what
// is rounding where a gradient is zero (a bias before batch_norm).
NetworkSpec RandomNetwork(std::uint64_t seed);

}  // namespace fx::test
