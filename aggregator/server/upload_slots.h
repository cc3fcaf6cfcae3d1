// How many uploads may be under way at once, and whose.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "core/base/error.h"
#include "core/base/names.h"

namespace fx::aggregator {

// Each upload under way holds one chunk in memory and one file open, so their number is bounded. A
// collaborator has one slot: a newer upload of its displaces the older, whose connection is likely
// dead. When all slots are taken, one that has been silent for kSilentMs is displaced; else the
// newcomer is refused. No timer runs: a silent upload nobody waits for does no harm.
//
// Thread-safe. `displace` is called under the lock, so that it cannot outlive Leave; it must not
// call back. (Cancelling a gRPC call from within a callback of gRPC fulfils that: what follows from
// it runs after that callback.)
class UploadSlots {
 public:
  static constexpr std::int64_t kSilentMs = 60'000;

  using Clock = std::function<std::int64_t()>;  // milliseconds, steady
  UploadSlots(std::size_t slots, Clock now) : slots_(slots), now_(std::move(now)) {}

  // Refuses with kResourceExhausted: a try a little later may succeed.
  Status Enter(const CollaboratorName& who, RequestId request, std::function<void()> displace);
  void Touch(const CollaboratorName& who, RequestId request);  // bytes came
  void Leave(const CollaboratorName& who, RequestId request);

 private:
  struct Slot {
    RequestId request;
    std::function<void()> displace;
    std::int64_t last_bytes;
  };
  bool MakeRoom();

  const std::size_t slots_;
  const Clock now_;
  std::mutex mutex_;
  std::map<CollaboratorName, Slot> taken_;
};

}  // namespace fx::aggregator
