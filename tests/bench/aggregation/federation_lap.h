// Rounds of the real thing: the aggregator's Runtime in a process of its own, and collaborators
// that are whole but for their training, each with a connection and a folder of its own.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/aggregation/lap.h"
#include "tests/bench/aggregation/world.h"

namespace fx::bench {

// `rounds` counted rounds in `workspace`, which must be new. The aggregator is a child with the
// arguments `server`, which calls ServeAggregator for the same workspace, size and rounds.
Lap RunFederation(const Size& size, int rounds, const test::TestPki& pki, const Path& workspace,
                  const std::vector<std::string>& server);

// Until the federation is over. Plays one round more than are counted.
void ServeAggregator(const Size& size, int rounds, const Path& cert_folder, const Path& workspace);

}  // namespace fx::bench
