// How soon each end of a connection notices that the other is gone without a word: a cable pulled,
// a router that forgot the connection, a machine asleep.
#pragma once

#include <cstdint>

namespace fx {

// A side that has heard nothing for `every_ms` asks whether the other is there, and drops the
// connection after `timeout_ms` without an answer. Bytes that the other side's machine does not
// take for `timeout_ms` end it too. A connection that does not come about within `every_ms` is
// given up.
//
// An end takes offence at questions that come twice as often as it asks itself, so both have the
// same; others than these are for tests.
struct Heartbeat {
  int every_ms = 20'000;
  int timeout_ms = 10'000;
};

// network.settings.keep_alive, in seconds: with half of it for the answer, a dead end is noticed
// within one and a half.
constexpr Heartbeat HeartbeatOf(std::int64_t keep_alive) {
  constexpr int kMs = 1000;
  const int every_ms = static_cast<int>(keep_alive) * kMs;
  return {.every_ms = every_ms, .timeout_ms = every_ms / 2};
}

}  // namespace fx
