// How soon each end of a connection notices that the other is gone without a word: a cable pulled,
// a router that forgot the connection, a machine asleep.
#pragma once

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

}  // namespace fx
