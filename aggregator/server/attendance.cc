#include "aggregator/server/attendance.h"

#include <utility>

namespace fx::aggregator {

Attendance::Visit::Visit(Attendance& attendance, CollaboratorName who)
    : attendance_(attendance), who_(std::move(who)) {
  const std::lock_guard lock(attendance_.mutex_);
  ++attendance_.entries_[who_].calls;
}

Attendance::Visit::~Visit() {
  const TimeMs now = attendance_.now_();
  const std::lock_guard lock(attendance_.mutex_);
  Entry& entry = attendance_.entries_[who_];
  --entry.calls;
  entry.last = now;
}

void Attendance::Heard(const CollaboratorName& who) {
  const TimeMs now = now_();
  const std::lock_guard lock(mutex_);
  entries_[who].last = now;
}

std::vector<Attendee> Attendance::All() const {
  const std::lock_guard lock(mutex_);
  std::vector<Attendee> all;
  for (const auto& [who, entry] : entries_) {
    all.push_back({.who = who, .present = entry.calls > 0, .last = entry.last});
  }
  return all;
}

}  // namespace fx::aggregator
