// A whole federation, told by a seed: the same seed is the same story, on every machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fx::sim {

struct Story {
  std::optional<std::string> violation;  // what must never be, if it was
  std::string summary;                   // of the plan and its faults
  std::vector<std::string> trace;        // if it was asked for
  std::int64_t steps = 0;
  std::int64_t deaths = 0;
};

Story Tell(std::uint64_t seed, bool tracing);

}  // namespace fx::sim
