// The aggregator as a pure state machine: events in, records and actions out.
//
// The engine does no I/O, reads no clock, draws no randomness, and starts no thread. Two engines
// with the same plan that step through the same events produce the same Ready, byte for byte. The
// shell around it (aggregator/runtime) owns sockets, disk and time.
//
// Contract with the shell, for each Ready, in this order:
//   1. append `records` to the journal and make them durable;
//   2. run `actions`; each is idempotent.
//
// Rounds 0 .. rounds_to_train-1 run the plan's tasks. If it has tasks that train and tasks that
// judge (validate the aggregated model), one more round follows with only the latter, so that the
// last aggregate is judged too and can be the best model. A round that gathers no updates keeps its
// model; a round in which nobody has a task is passed over; without members nothing ever starts. A
// collaborator that cannot do a task is left out of the round, and asked again in the next.
//
// The best model is the one with the highest score: the first metric of the judging task that is
// not a loss or, if all are losses, the lowest first loss. Ties go to the earlier model.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aggregator/engine/action.h"
#include "aggregator/engine/event.h"
#include "aggregator/engine/record.h"
#include "aggregator/engine/round_policy.h"
#include "aggregator/engine/state.h"
#include "plan/plan.h"

namespace fx::aggregator {

struct EngineOptions {
  std::uint32_t rounds_to_train = 0;
  std::vector<CollaboratorName> members;  // the authorised list: the canonical order
  std::set<TaskName> training_tasks;      // those that return tensors
  std::set<TaskName> judging_tasks;       // those that validate the aggregated model
  Sampling sampling;
  StragglerPolicy stragglers;
  std::size_t keep_models =
      2;  // db_store_rounds: how many of the newest models Prune keeps at least
  std::function<Assignments(Round)> assign;  // pure: the Assigner of the plan
};

// The engine's view of a plan, its assigner included.
EngineOptions OptionsFor(const Plan& plan);

struct Ready {
  std::vector<Record> records;
  std::vector<Action> actions;
};

class Engine {
 public:
  explicit Engine(EngineOptions options)
      : options_(std::move(options)), members_(options_.members.begin(), options_.members.end()) {}

  // Rebuilds the state from the journal; call for each record before the first Step.
  void Replay(const Record& record) { Apply(record, state_); }

  // Returns the actions a crash may have swallowed. Call once, after the last Replay, before
  // Started.
  Ready Resume();

  Ready Step(const Event& event);

  // These are members too from now on, and have tasks from the next round that is opened. `assign`
  // is that of all members. Nothing is recorded: a round's assignments are, and who is a member is
  // for cols.yaml to remember.
  void Enroll(const std::vector<CollaboratorName>& who, std::function<Assignments(Round)> assign);

  // When to send the next ClockAdvanced at the latest; none while nothing depends on time.
  std::optional<TimeMs> NextDeadline() const;

  const State& state() const { return state_; }
  std::uint32_t end() const;  // the first round that will not be opened

 private:
  void On(TimeMs at, const Started&);
  void On(TimeMs at, const TasksRequested&);
  void On(TimeMs at, const ResultStaged&);
  void On(TimeMs at, const TaskFailed&);
  void On(TimeMs at, const AggregationFinished&);
  void On(TimeMs at, const ClockAdvanced&);

  // Opens the first round from `round` on in which anybody has a task, or ends the federation.
  void OpenRound(Round round, const ModelId& model);
  void CloseRoundIfDue(TimeMs at);
  void ChooseBest(const std::vector<AggregatedMetric>& metrics);
  void AggregateOrKeep();
  void Commit(const ModelId& model);
  void DoPrune(Round round);

  bool IsMember(const CollaboratorName& who) const { return members_.contains(who); }
  Assignments AssignmentsOf(Round round) const;
  std::vector<TaskName> Outstanding(const CollaboratorName& who) const;
  // Of those that can still do their part, as many as are waited for.
  RoundProgress Progress() const;
  // Why a new result cannot be taken; none if it can.
  std::optional<std::string> Objection(const ResultStaged& result) const;
  // Why nothing about this task can be taken from `who` now.
  std::optional<std::string> Objection(const CollaboratorName& who, Round round,
                                       const TaskName& task) const;

  void Decide(Record record);  // applies the record and puts it into the Ready
  void Do(Action action);

  EngineOptions options_;
  std::set<CollaboratorName> members_;  // for looking up
  State state_;
  Ready ready_;  // of the step in progress
};

}  // namespace fx::aggregator
