#include "aggregator/server/upload_slots.h"

#include <algorithm>
#include <utility>

#include "core/base/format.h"

namespace fx::aggregator {

Status UploadSlots::Enter(const CollaboratorName& who, RequestId request,
                          std::function<void()> displace) {
  const std::lock_guard lock(mutex_);
  if (const auto own = taken_.find(who); own != taken_.end()) {
    own->second.displace();
    taken_.erase(own);
  }
  if (taken_.size() >= slots_ && !MakeRoom()) {
    return Fail(Error(ErrorCode::kResourceExhausted,
                      format("the aggregator is receiving {} updates already", taken_.size()))
                    .Hint("try again in a few seconds"));
  }
  taken_.emplace(who,
                 Slot{.request = request, .displace = std::move(displace), .last_bytes = now_()});
  return Ok();
}

bool UploadSlots::MakeRoom() {
  const auto silent = std::ranges::min_element(
      taken_, {}, [](const auto& entry) { return entry.second.last_bytes; });
  if (silent == taken_.end() || now_() - silent->second.last_bytes < kSilentMs) return false;
  silent->second.displace();
  taken_.erase(silent);
  return true;
}

void UploadSlots::Touch(const CollaboratorName& who, RequestId request) {
  const std::lock_guard lock(mutex_);
  const auto slot = taken_.find(who);
  if (slot != taken_.end() && slot->second.request == request) slot->second.last_bytes = now_();
}

void UploadSlots::Leave(const CollaboratorName& who, RequestId request) {
  const std::lock_guard lock(mutex_);
  const auto slot = taken_.find(who);
  if (slot != taken_.end() && slot->second.request == request) taken_.erase(slot);
}

}  // namespace fx::aggregator
