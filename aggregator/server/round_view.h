// What the calls of a server may know of the engine: a picture of the current round, published
// after each step. Advice, not truth: a picture may be a step old, and the engine judges again.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "aggregator/engine/state.h"
#include "core/base/names.h"

namespace fx::aggregator {

// Immutable once published.
struct RoundView {
  Round round{};
  bool collecting = false;  // results are taken
  // The tasks of this round: none while owed, else the update that was accepted.
  std::map<std::pair<CollaboratorName, TaskName>, std::optional<UpdateId>> tasks;
};

RoundView ViewOf(const State& state);

// Where the newest picture hangs. Thread-safe; the engine thread publishes, calls read. A mutex
// and not an atomic shared_ptr, whose libstdc++ 12 version ThreadSanitizer cannot follow.
class RoundBoard {
 public:
  // Shared: a call may still look at a picture that has been replaced.
  std::shared_ptr<const RoundView> Get() const {
    const std::lock_guard lock(mutex_);
    return view_;
  }
  void Publish(RoundView view) {
    auto fresh = std::make_shared<const RoundView>(std::move(view));
    const std::lock_guard lock(mutex_);
    view_.swap(fresh);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const RoundView> view_ = std::make_shared<const RoundView>();
};

}  // namespace fx::aggregator
