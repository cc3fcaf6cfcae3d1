#include "tests/simulation/world.h"

#include "core/base/format.h"

namespace fx::sim {

void World::Add(const std::string& who, const std::string& text) {
  trace_.push_back(format("{:>8} {:<10} {}", now_, who, text));
}

}  // namespace fx::sim
