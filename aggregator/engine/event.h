// What can happen to an aggregator. Events come from outside (a request, a finished job, a clock)
// and may be refused; nothing here is durable. See record.h for what is.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "aggregator/engine/record.h"
#include "core/base/names.h"

namespace fx::aggregator {

// The process is up; sent once, after replay. Round 0 starts from `model`, the initial one. `lost`
// are accepted results of the open round whose bytes are gone, which only a power cut can do.
struct Started {
  ModelId model;
  std::vector<ResultKey> lost = {};
};
struct TasksRequested {
  CollaboratorName who;
  RequestId request;
};
// A task result has arrived whole and passed its digest check; its bytes, if any, are in the spool.
struct ResultStaged {
  CollaboratorName who;
  RequestId request;
  Round round;
  TaskName task;
  UpdateId update;  // empty: metrics only
  std::int64_t num_samples;
  std::vector<Metric> metrics;
};
// A collaborator says that it cannot do a task, and why.
struct TaskFailed {
  CollaboratorName who;
  RequestId request;
  Round round;
  TaskName task;
  std::string reason;
};
// The job of AggregateRound is done and its model is durable.
struct AggregationFinished {
  Round round;
  ModelId model;
};
struct ClockAdvanced {};
// The authorised list is this one now, in its order.
struct MembersChanged {
  std::vector<CollaboratorName> members;
};
// An administrator wants the round closed now, with what is there.
struct CutOffRequested {
  RequestId request;
};
// An administrator wants the process to end after the round that is under way.
struct PauseRequested {
  RequestId request;
};

using EventBody =
    std::variant<Started, TasksRequested, ResultStaged, TaskFailed, AggregationFinished,
                 ClockAdvanced, MembersChanged, CutOffRequested, PauseRequested>;

struct Event {
  TimeMs at;
  EventBody body;
};

}  // namespace fx::aggregator
