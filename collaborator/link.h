// The calls a collaborator makes. The task loop knows only this; the real one is GrpcLink, tests
// and simulations have their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx {

// What to do next. `quit`: the federation is over. Otherwise `tasks` is not empty.
struct TaskAssignment {
  Round round{};
  std::vector<TaskName> tasks;
  ModelId model;
  std::uint64_t model_size = 0;
  bool quit = false;
  UpdateId counted{};  // the newest update of this site that is in the model; empty if none is
};

// A finished task, ready to send. `file` is a complete model file on disk, or empty if the task
// reports metrics only.
struct TaskResult {
  Round round{};
  TaskName task;
  std::int64_t num_samples = 0;
  std::vector<Metric> metrics;
  Path file;
  UpdateId update;         // digest of the file
  std::uint64_t size = 0;  // of the file
};

// A task that cannot be done.
struct TaskFailure {
  Round round{};
  TaskName task;
  std::string reason;
};

// Blocking calls, one at a time, from one thread. kUnavailable and kDeadlineExceeded mean try
// again; kAborted and kFailedPrecondition from Send, and kNotFound from Download, mean that the
// round has moved on and what was asked is not wanted. These are the aggregator's words; anything
// else is final, and a fault of this side's own files is kInternal.
class Link {
 public:
  virtual ~Link() = default;

  // Waits, for as long as the link sees fit, for something to do; none: ask again.
  virtual Result<std::optional<TaskAssignment>> GetTasks() = 0;

  // Fetches a model file to `to`, taking up a partial file where it ends. The bytes are checked
  // against the id before `to` appears.
  virtual Status Download(const ModelId& model, std::uint64_t size, const Path& to) = 0;

  // Returns once the aggregator has made the result durable.
  virtual Status Send(const TaskResult& result) = 0;

  // Returns once the aggregator knows, and will not wait for this site in this round. Errors as of
  // Send.
  virtual Status Report(const TaskFailure& failure) = 0;

  // Nothing is wanted of the aggregator for hours: lets go of the connection until the next call.
  virtual void Rest() {}

  // After `quit`, when nothing is left to do: lets the aggregator know that it need not wait for
  // this site. One attempt; it gives up waiting by itself.
  virtual void SayGoodbye() {}
};

}  // namespace fx
