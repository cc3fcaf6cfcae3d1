// How many uploads may be under way at once, and whose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/base/names.h"

namespace fx::aggregator {

// Each upload under way holds one chunk in memory and one file open, so their number is bounded.
// Whoever finds no room waits; first come, first served. A collaborator has one upload under way
// and one that waits: a newer one displaces the older, whose connection is likely dead, and begins
// once the older has left, so that a file never has two writers. While others wait, an upload that
// has been silent for kSilentMs is displaced too. No timer runs: silence is looked at when somebody
// else does something.
//
// Thread-safe. `displace` is called under the lock, so that it cannot outlive Leave; it must not
// call back. (Cancelling a gRPC call from within a callback of gRPC fulfils that: what follows from
// it runs after that callback.) `begin` is called once, without the lock, by whoever made the room.
class UploadSlots {
 public:
  static constexpr std::int64_t kSilentMs = 60'000;

  struct Upload {
    CollaboratorName who;
    RequestId request{};
    std::function<void()> begin;
    std::function<void()> displace;
  };

  using Clock = std::function<std::int64_t()>;  // milliseconds, steady
  UploadSlots(std::size_t slots, Clock now) : slots_(slots), now_(std::move(now)) {}

  // Calls upload.begin, now or later, unless Withdraw comes first. Each upload that began must
  // Leave, displaced or not.
  void Enter(Upload upload);
  // True if the upload waited; it will not begin.
  bool Withdraw(RequestId request);
  void Touch(const CollaboratorName& who, RequestId request);  // bytes came
  // Harmless if the upload did not begin or has left.
  void Leave(const CollaboratorName& who, RequestId request);

 private:
  struct Slot {
    Upload upload;
    std::int64_t last_bytes = 0;
    bool displaced = false;
  };
  static void Displace(Slot& slot);
  void DisplaceSilent();
  void FillSlots();
  void BeginDue(std::unique_lock<std::mutex> lock);

  const std::size_t slots_;
  const Clock now_;
  std::mutex mutex_;
  std::map<CollaboratorName, Slot> taken_;
  std::deque<Upload> waiting_;             // oldest first
  std::deque<std::function<void()>> due_;  // begins of those that have got a slot
  bool beginning_ = false;                 // a thread calls them
};

}  // namespace fx::aggregator
