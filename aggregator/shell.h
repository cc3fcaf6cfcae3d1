// What ties the engine to the world, without the world: no thread, socket, file or clock of its
// own. The runtime gives it real ones; the simulation (tests/simulation) gives it ones that fail.
//
//   shell.Replay();
//   shell.Start(model, its size);
//   while (!shell.done()) shell.Turn(the next event, if one comes within shell.patience());
//
// For each event: the engine's records are durable, and the round they make is on the board, before
// anyone hears of them; then its actions are run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "aggregator/engine/engine.h"
#include "aggregator/report.h"
#include "aggregator/server/round_view.h"
#include "aggregator/server/waiters.h"
#include "aggregator/store/journal.h"
#include "core/base/error.h"
#include "core/base/names.h"
#include "plan/plan.h"

namespace fx::aggregator {

// What the shell needs done. Called on the engine's thread.
class ShellPorts {
 public:
  virtual ~ShellPorts() = default;

  virtual TimeMs Now() = 0;             // the clock of events; an administrator may set it
  virtual std::int64_t SteadyMs() = 0;  // milliseconds from any start; only goes forward

  virtual Result<std::vector<Journal::Entry>> LoadJournal() = 0;
  // Durable on return, or with the round's close if the plan's durability is that; after an error
  // nothing was added.
  virtual Status AppendToJournal(TimeMs at, std::span<const Record> records) = 0;

  // Makes the next model; one job at a time, and none before old files are removed. The end comes
  // back as AggregationFinished.
  virtual void Fold(const AggregateRound& job) = 0;

  // Done one after the other in the order they were asked for; a failure is logged, no more.
  virtual void SaveBest(const SaveBestModel& save, double score) = 0;
  virtual void SaveLast(const SaveLastModel& save) = 0;
  virtual void RemoveOld(const Prune& prune) = 0;  // the end comes back as OnOldRemoved
  // All lines of the federation so far; those that are not in the file yet are added.
  virtual void WriteMetrics(const std::vector<std::string>& lines) = 0;
};

// As in RuntimeOptions, where they are explained.
struct ShellOptions {
  std::int64_t goodbye_ms;
  std::int64_t late_goodbye_ms;
  std::int64_t quiet_ms;
  std::ostream* table;
  std::function<void(TimeMs, const Record&)> observe = {};
};

// Not thread-safe; belongs to the engine thread. An error of any function means that the journal
// cannot be read or written: what was acknowledged is safe, and a new process goes on from there.
class Shell {
 public:
  // All references, and the table, must outlive it.
  Shell(const Plan& plan, ShellOptions options, ShellPorts& ports, Waiters& waiters,
        RoundBoard& board);

  // Rebuilds the state from the journal and puts the round on the board. First, once.
  Status Replay();

  // Does what a crash may have swallowed, and opens the first round from `model` if none was ever
  // opened. `model_size` is the size of every model of the federation in bytes; `lost` are accepted
  // results of the open round without their bytes.
  Status Start(const ModelId& model, std::uint64_t model_size, std::vector<ResultKey> lost = {});

  // Puts events to the engine, in their order, and the clock, if a deadline has passed. The records
  // of all events are one transaction: one wait for the disk for all.
  Status Turn(std::vector<EventBody> events);

  // RemoveOld is done, well or not.
  void OnOldRemoved();

  // How many milliseconds to wait for an event at most before the next Turn.
  std::int64_t patience() const;

  // The federation is over.
  bool leaving() const { return leave_at_.has_value(); }
  // And everyone has been told, or will not ask any more; or an administrator wanted a stop here.
  bool done() const { return paused_ || (leaving() && ports_.SteadyMs() >= *leave_at_); }
  // An administrator wanted a stop after the round, and this is after it.
  bool paused() const { return paused_; }
  // It was over when Replay was called.
  bool already_finished() const { return already_finished_; }

  const State& state() const { return engine_.state(); }

 private:
  Status Process(std::vector<EventBody> events, TimeMs at);
  Status Execute(Ready ready, TimeMs at);
  Status TickIfDue();
  void TakeMembers(const std::vector<CollaboratorName>& members);

  void Do(const ReplyTasks& action);
  void Do(const ReplyWait& action);
  void Do(const ReplyQuit& action);
  void Do(const ReplyAccepted& action);
  void Do(const ReplyRejected& action);
  void Do(const AggregateRound& action);
  void Do(const SaveBestModel& action);
  void Do(const SaveLastModel& action);
  void Do(const WakeWaiters& action);
  void Do(const Prune& action);
  void Do(const Shutdown& action);
  void Do(const Pause& action);
  void WriteMetrics();

  const Plan& plan_;
  const ShellOptions options_;
  ShellPorts& ports_;
  Waiters& waiters_;
  RoundBoard& board_;

  std::vector<CollaboratorName> members_;  // the plan's, or as they were last changed
  Engine engine_;
  Report report_;
  std::uint64_t model_size_ = 0;
  bool already_finished_ = false;
  bool paused_ = false;
  std::size_t removals_ = 0;              // under way
  std::optional<AggregateRound> fold_;    // waits for them
  std::vector<EventBody> again_;          // requests to put to the engine once more
  std::optional<TimeMs> ticked_;          // the deadline the engine was last told of
  std::int64_t last_call_ = 0;            // leaves then, whoever is missing
  std::optional<std::int64_t> leave_at_;  // once the federation is over; both in steady time
  std::set<CollaboratorName> told_;       // that it is over
};

}  // namespace fx::aggregator
