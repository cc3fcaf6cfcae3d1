// What a running collaborator is doing, in a line for people and in numbers for Prometheus.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "collaborator/grpc_link.h"
#include "collaborator/session.h"
#include "core/base/names.h"

namespace fx {

// Thread-safe. Counters begin with the process.
class CollaboratorVitals {
 public:
  void Doing(const collaborator::Step& step);
  collaborator::LinkGauges& link() { return link_; }

  // "round 3: train", "waiting for tasks"
  std::string Line() const;
  bool reaches_aggregator() const { return !link_.lost; }
  std::string Metrics() const;

 private:
  collaborator::LinkGauges link_;
  mutable std::mutex mutex_;
  std::string line_ = "ready";
  Round round_{};
  bool training_ = false;
  std::uint64_t tasks_ = 0, rounds_ = 0;
  double last_task_seconds_ = 0;
};

}  // namespace fx
