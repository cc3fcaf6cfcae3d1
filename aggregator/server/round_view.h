// What the calls of a server may know of the engine: the current round, published after each step.
// Advice, not truth: it may be a step old, and the engine judges again.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>

#include "aggregator/engine/state.h"
#include "core/base/names.h"

namespace fx::aggregator {

// The round as it concerns one collaborator.
struct RoundView {
  Round round{};
  bool collecting = false;  // results are taken
  // Its tasks of this round: none while owed, else the update that was accepted.
  std::map<TaskName, std::optional<UpdateId>> tasks;
};

// Where the round hangs. Thread-safe; the engine thread publishes, calls read.
class RoundBoard {
 public:
  RoundView ViewFor(const CollaboratorName& who) const;
  bool Takes(Round round) const;  // results, now

  // The whole of it, after a replay.
  void Publish(const State& state);
  // What these records, the newest, have changed of it. Costs as much as there are records, unless
  // a round begins.
  void Publish(std::span<const Record> records, const State& state);

 private:
  void RebuildLocked(const State& state);

  mutable std::mutex mutex_;
  Round round_{};
  bool collecting_ = false;
  std::map<CollaboratorName, std::map<TaskName, std::optional<UpdateId>>> tasks_;
};

}  // namespace fx::aggregator
