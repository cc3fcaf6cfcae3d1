// What a site remembers of a task it has finished: everything needed to send the result, now or
// after a restart, without running the task again.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/names.h"

namespace fx::collaborator {

// One a (round, task). Tensors, if any, lie beside it in the LocalStore.
struct FinishedTask {
  Round round{};
  TaskName task;
  ModelId model;               // the aggregated model the task started from
  std::uint64_t sequence = 0;  // counts the tasks this site has finished, in order
  std::int64_t num_samples = 0;
  std::vector<Metric> metrics;
  double seconds = 0;      // the task took
  UpdateId update;         // of the trained parameters; empty if the task has none
  std::uint64_t size = 0;  // of their file
  UpdateId optimizer;      // of the optimizer's state afterwards; empty if it is not kept

  bool trained() const { return !update.value.empty(); }
  bool operator==(const FinishedTask&) const = default;
};

}  // namespace fx::collaborator
