// Text from values: the one door to {fmt}, whose std::format twin g++ 12 does not ship.
#pragma once

#include <fmt/core.h>

namespace fx {

using fmt::format;

}  // namespace fx
