// The collaborator as a pure state machine: given what this site has on disk and what the
// aggregator last asked for, what comes next. No I/O, clock or thread; TaskLoop does what it says.
//
//   for (;;) {
//     do what session.Next() says;
//     tell the session that it is done (OnAssigned, OnFetched, ...);
//   }
//
// The session never trusts its own memory for what must survive a crash: a session made from what
// is on disk continues where the last one was. A finished task is never run again, only sent again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "collaborator/finished_task.h"
#include "collaborator/link.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "plan/plan.h"

namespace fx::collaborator {

// The steps. Each can be repeated without harm.
struct AskForTasks {};
struct FetchModel {
  ModelId model;
  std::uint64_t size = 0;
};
struct RunTask {
  Round round{};
  TaskName task;
  ModelId model;                          // start from this ...
  std::optional<FinishedTask> trained;    // ... or from the parameters this task has trained
  std::optional<FinishedTask> optimizer;  // training continues from the state this one left, or
                                          // from a fresh optimizer if there is none
  bool state_is_lost = false;             // there must be one, and is none
  std::uint64_t sequence = 0;             // of the result
};
struct SendResult {
  FinishedTask result;
};
// The site has done all it will do in a round; `results` are in the order they were finished.
struct CloseRound {
  Round round{};
  std::vector<FinishedTask> results;
};
// Whatever is not listed is no longer needed.
struct Tidy {
  std::vector<ModelId> models;
  std::vector<FinishedTask> results;
};
// The federation is over.
struct Leave {};

using Step = std::variant<AskForTasks, FetchModel, RunTask, SendResult, CloseRound, Tidy, Leave>;

struct SessionOptions {
  std::map<TaskName, TaskSpec> tasks;  // of the plan
  std::size_t keep_models = 1;         // db_store_rounds, the current model included
  // Training continues from the state that goes with the update of this site that is in the model,
  // if there is one, and not from the newest: where the model has sums.
  bool follow_the_model = false;
};

// What an earlier process left on disk.
struct Remembered {
  std::vector<ModelId> models;         // whole and checked; oldest first, if known
  std::vector<FinishedTask> finished;  // in any order
  std::optional<Round> closed;         // the last round for which CloseRound was done
};

class Session {
 public:
  Session(SessionOptions options, Remembered remembered);

  Step Next() const;

  // What the aggregator answered to AskForTasks. Refuses what no honest aggregator says: a task the
  // plan does not have, a task twice, no task at all, a model id that is none.
  Status OnAssigned(const TaskAssignment& assignment);
  void OnFetched(const ModelId& model);
  void OnFinished(FinishedTask result);
  void OnSent();
  void OnClosed();
  void OnTidied();
  // The aggregator no longer wants results of this round, or no longer has its model.
  void OnRoundMovedOn();

 private:
  Step NextFor(const TaskName& task) const;
  RunTask Run(const TaskName& task) const;
  std::optional<TaskName> Trainer() const;
  const FinishedTask* Find(const TaskName& task) const;
  bool CanContinueFrom(const FinishedTask& result) const;
  const FinishedTask* StateToContinueFrom() const;
  bool RoundIsDone() const;
  std::vector<ModelId> ModelsToKeep() const;
  std::vector<FinishedTask> ResultsToKeep() const;

  SessionOptions options_;
  std::vector<ModelId> models_;               // least recently used first
  std::vector<FinishedTask> finished_;        // by sequence
  std::optional<Round> open_;                 // has results and was not closed
  std::optional<TaskAssignment> assignment_;  // its tasks: those still to be sent
  bool tidy_ = false;                         // since the assignment came
};

}  // namespace fx::collaborator
