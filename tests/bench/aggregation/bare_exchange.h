// The least that moves the bytes of a round: a gRPC server that streams one block of memory to
// every client and adds what comes back in float32, over the same certificates and channel options.
// No tasks, no checks, nothing on disk: the bound for anything that uses gRPC.
#pragma once

#include <string>

#include "tests/bench/aggregation/lap.h"
#include "tests/bench/aggregation/world.h"

namespace fx::bench {

// `rounds` counted rounds. The server is a child with the arguments `server`, which calls
// ServeBare.
Lap RunBare(const Size& size, int rounds, const test::TestPki& pki,
            const std::vector<std::string>& server);

// Until the end of input.
void ServeBare(const Size& size, const Path& cert_folder);

}  // namespace fx::bench
