// What every call of the server needs: the rules, the picture of the round, the files, and the ways
// to the engine and to the disk.
#pragma once

#include <functional>

#include "aggregator/engine/event.h"
#include "aggregator/server/attendance.h"
#include "aggregator/server/gate.h"
#include "aggregator/server/round_view.h"
#include "aggregator/server/upload_judge.h"
#include "aggregator/server/upload_slots.h"
#include "aggregator/server/waiters.h"
#include "aggregator/store/model_store.h"
#include "aggregator/store/spool.h"

namespace fx::aggregator {

// Outlives the server. Everything in it is thread-safe or does not change.
struct CallEnv {
  const Gate& gate;
  Attendance& attendance;
  UploadRules uploads;
  const RoundBoard& board;
  const Spool& spool;
  const ModelStore& models;
  Waiters& waiters;
  UploadSlots& slots;
  // Neither waits; false: the queue is full or the aggregator is stopping.
  std::function<bool(EventBody)> post;               // to the engine
  std::function<bool(std::function<void()>)> later;  // onto a thread that may wait for the disk
};

}  // namespace fx::aggregator
