// What the shell must do once the records of the same Ready are durable. Every action is
// idempotent, so a crash between "durable" and "done" is repaired by doing it again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "aggregator/engine/event.h"
#include "core/base/names.h"

namespace fx::aggregator {

struct ReplyTasks {
  RequestId request;
  Round round;
  ModelId model;
  std::vector<TaskName> tasks;
  UpdateId counted;  // the newest of the asker's that is in the model; empty if none is
};
struct ReplyWait {  // park the request; WakeWaiters asks again
  RequestId request;
};
struct ReplyQuit {
  RequestId request;
};
struct ReplyAccepted {
  RequestId request;
};
struct ReplyRejected {
  RequestId request;
  std::string reason;
};

struct Contribution {
  CollaboratorName who;
  UpdateId update;
  std::int64_t num_samples;
};
// Folds the round's trained updates onto `base` into the next model. Contributions are in the order
// that the authorised list had when the round was closed: the aggregate depends on the set, never
// on arrival. Only tasks with tensors appear.
struct AggregateRound {
  Round round;
  ModelId base;
  bool first = false;    // nothing has been aggregated before
  bool forgets = false;  // sums over all sites become 0 (RoundClosed)
  std::map<TaskName, std::vector<Contribution>> tasks;
};
// Writes the model to the plan's best_state_path / last_state_path. `round` is the round that
// starts from the model, OpenFL's round_number.
struct SaveBestModel {
  Round round;
  ModelId model;
};
struct SaveLastModel {
  Round round;
  ModelId model;
};
struct WakeWaiters {};
// Staged updates of rounds before `round` and models not in `keep` are no longer needed.
struct Prune {
  Round round;
  std::vector<ModelId> keep;
};
// The federation is over; leave once everyone has been told.
struct Shutdown {};
// Leave now; the federation goes on with the next start.
struct Pause {};

using Action =
    std::variant<ReplyTasks, ReplyWait, ReplyQuit, ReplyAccepted, ReplyRejected, AggregateRound,
                 SaveBestModel, SaveLastModel, WakeWaiters, Prune, Shutdown, Pause>;

}  // namespace fx::aggregator
