#include "aggregator/server/upload_slots.h"

#include <algorithm>
#include <utility>

namespace fx::aggregator {

void UploadSlots::Enter(Upload upload) {
  std::unique_lock lock(mutex_);
  if (const auto own = taken_.find(upload.who); own != taken_.end()) Displace(own->second);
  for (const Upload& older : waiting_) {
    if (older.who == upload.who) older.displace();  // and it withdraws
  }
  waiting_.push_back(std::move(upload));
  FillSlots();
  BeginDue(std::move(lock));
}

bool UploadSlots::Withdraw(RequestId request) {
  const std::lock_guard lock(mutex_);
  return std::erase_if(waiting_, [&](const Upload& u) { return u.request == request; }) > 0;
}

void UploadSlots::Touch(const CollaboratorName& who, RequestId request) {
  const std::lock_guard lock(mutex_);
  const auto slot = taken_.find(who);
  if (slot == taken_.end() || slot->second.upload.request != request) return;
  slot->second.last_bytes = now_();
  DisplaceSilent();
}

void UploadSlots::Leave(const CollaboratorName& who, RequestId request) {
  std::unique_lock lock(mutex_);
  const auto slot = taken_.find(who);
  if (slot == taken_.end() || slot->second.upload.request != request) return;
  taken_.erase(slot);
  FillSlots();
  BeginDue(std::move(lock));
}

void UploadSlots::Displace(Slot& slot) {
  if (!std::exchange(slot.displaced, true)) slot.upload.displace();
}

void UploadSlots::DisplaceSilent() {
  if (waiting_.empty() || taken_.size() < slots_) return;
  for (auto& [who, slot] : taken_) {
    if (now_() - slot.last_bytes >= kSilentMs) Displace(slot);
  }
}

// Puts those who wait where there is room.
void UploadSlots::FillSlots() {
  for (auto next = waiting_.begin(); next != waiting_.end() && taken_.size() < slots_;) {
    if (taken_.contains(next->who)) {
      ++next;
      continue;
    }
    due_.push_back(next->begin);
    Slot& slot = taken_[next->who];
    slot.upload = std::move(*next);
    slot.last_bytes = now_();
    next = waiting_.erase(next);
  }
  DisplaceSilent();
}

// An upload that ends as it begins leaves, which is another's turn, and so on: a loop, or thousands
// of them would be as many calls deep.
void UploadSlots::BeginDue(std::unique_lock<std::mutex> lock) {
  if (std::exchange(beginning_, true)) return;  // whoever is at it goes on
  while (!due_.empty()) {
    const std::function<void()> begin = std::move(due_.front());
    due_.pop_front();
    lock.unlock();
    begin();
    lock.lock();
  }
  beginning_ = false;
}

}  // namespace fx::aggregator
