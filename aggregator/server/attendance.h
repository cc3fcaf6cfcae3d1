// Who of the collaborators is there: for people who ask, never for the engine, which waits for
// results and not for connections.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "core/base/names.h"

namespace fx::aggregator {

// One collaborator that was heard of since the process began.
struct Attendee {
  CollaboratorName who;
  bool present = false;  // has a call open
  TimeMs last{};         // when it was last heard of; if it is not present, when it went
};

// Thread-safe. A collaborator is present while a call of its is open that ends with its
// connection: rpc Stay, and a call for tasks. That a connection is dead without a word, keep-alive
// finds out (rpc/heartbeat.h).
class Attendance {
 public:
  explicit Attendance(std::function<TimeMs()> now) : now_(std::move(now)) {}
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;

  // A call that keeps its caller present. The attendance outlives it.
  class Visit {
   public:
    Visit(Attendance& attendance, CollaboratorName who);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    Attendance& attendance_;
    const CollaboratorName who_;
  };

  // A call began, or bytes came.
  void Heard(const CollaboratorName& who);

  std::vector<Attendee> All() const;  // by name

 private:
  struct Entry {
    std::size_t calls = 0;
    TimeMs last{};
  };

  const std::function<TimeMs()> now_;
  mutable std::mutex mutex_;
  std::map<CollaboratorName, Entry> entries_;
};

}  // namespace fx::aggregator
