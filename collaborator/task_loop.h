// Does what the session says: asks, downloads, runs, stores and sends, until the federation is
// over.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "collaborator/link.h"
#include "collaborator/local_store.h"
#include "collaborator/session.h"
#include "collaborator/site_limits.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "plan/plan.h"
#include "tasks/task_runner.h"

namespace fx::collaborator {

struct TaskLoopOptions {
  CollaboratorName name;
  std::map<TaskName, TaskSpec> tasks;  // of the plan
  CollaboratorSettings settings;       // of the plan
  bool has_sums = false;   // of the plan; a site's part is kept like an optimizer's state
  Path metrics_file{};     // empty: none is written
  std::stop_token stop{};  // ends Run with kCancelled, between batches at the latest
  // A task is begun in the site's hours only, ends with them, and begins again with the next. None:
  // at any hour.
  std::shared_ptr<SiteLimits> limits{};

  // Seconds from any start, for how long a task took. Never goes backwards.
  std::function<double()> clock;
  // For a person who watches; both may be empty. `show` is called while a task runs, `clear` when
  // it has ended and before anything is logged.
  std::function<void(Round, const TaskName&, const Progress&)> show{};
  std::function<void()> clear{};
  // Is told what is done next; a step that has to be tried again comes again.
  std::function<void(const Step&)> doing{};
};

// One federation, once. A task whose numbers ran away (kOutOfRange) is reported, and the site takes
// part again in the next round; any other failure is reported too, and ends Run. `link` and
// `runner` must outlive it; all on the caller's thread.
class TaskLoop {
 public:
  TaskLoop(TaskLoopOptions options, LocalStore store, Link& link, TaskRunner& runner);

  // Returns when the aggregator says that the federation is over. Errors: kCancelled after a stop;
  // what the aggregator refused for good; a task that failed.
  Status Run();

 private:
  Status Do(const AskForTasks&);
  Status Do(const FetchModel&);
  Status Do(const RunTask&);
  Status Do(const SendResult&);
  Status Do(const CloseRound&);
  Status Do(const Tidy&);
  Status Do(const Leave&);

  Status GiveUp(const RunTask& run, Error error);
  bool HoursAreOver() const { return options_.limits != nullptr && !options_.limits->Open(); }
  Status Pause(const RunTask& run);
  bool KeepsState() const;
  bool IsFirstRefusal(const std::string& what);
  Status LoadParameters(const RunTask& run);
  Status LoadOptimizer(const RunTask& run);
  Result<TaskReport> RunOnce(const RunTask& run);
  Result<FinishedTask> Store(const RunTask& run, TaskReport report, double seconds);

  TaskLoopOptions options_;
  LocalStore store_;
  Link& link_;
  TaskRunner& runner_;
  Session session_;
  std::string held_;  // digest of the parameters the runner has; empty if not known
  std::optional<std::pair<Round, TaskName>> paused_;  // the task the end of the hours last ended
  std::string refused_;   // the result the aggregator last refused as too late
  bool waiting_ = false;  // and said so
  int superseded_ = 0;    // questions for tasks in a row, by others under this name
  bool over_ = false;
};

}  // namespace fx::collaborator
