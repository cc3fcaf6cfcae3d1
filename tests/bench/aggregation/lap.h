// What a few rounds in a row came to; the same for ours and for the bare exchange.
#pragma once

#include <vector>

#include "tests/bench/aggregation/child.h"

namespace fx::bench {

// The first round of a lap connects and faults pages in; it is run and not counted.
struct Lap {
  std::vector<double> seconds;      // wall time, a counted round each
  std::vector<double> end_seconds;  // from the last result to the next model; ours only
  double server_cpu = 0;            // seconds of all counted rounds
  double client_cpu = 0;
  Memory server;
};

}  // namespace fx::bench
