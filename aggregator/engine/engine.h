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
// last aggregate is judged too and can be the best model; by all who judge, if none of those who
// are drawn for it does. A round that gathers no updates keeps its
// model; a round in which nobody has a task is passed over; without members nothing starts, and
// nothing ends. A collaborator that cannot do a task is left out of the round, and asked again in
// the next.
//
// Who is a member is for cols.yaml to remember. A new member has tasks from the next round that is
// opened. One that has left is out of the open round, with whatever it sent in it; what the round
// was closed with stays in its aggregate. Where the model carries sums over all sites, they are
// started anew by the aggregate of the first round that is closed after one has left.
//
// An administrator may close a round before the plan does, with no fewer than its
// minimum_reporting, and may end the process after a round; the next start goes on.
//
// The best model is the one with the best score, as the plan's BestModelRule says: by default the
// first metric of the judging task that is not a loss or, if all are losses, the lowest first loss.
// Ties go to the earlier model, and a NaN is never the best; a model that nobody could judge has
// none. If the rule has patience, training stops when the score has not gained for so many rounds:
// the round that shows it is aggregated, and its aggregate judged like the last of all rounds.
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
  bool has_sums = false;  // the model carries sums of parts of sites (plan/model_layout.h)
  Sampling sampling;
  StragglerPolicy stragglers;
  BestModelRule best_model{};
  std::size_t keep_models =
      2;  // db_store_rounds: how many of the newest models Prune keeps at least
  std::set<TaskName> scoring_tasks = {};  // of those that judge: may report the rule's metric
  // Pure: the Assigner of the plan, for these members; `everyone`: none of them is left out by lot.
  std::function<Assignments(const std::vector<CollaboratorName>&, Round, bool everyone)> assign;
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
  void On(TimeMs at, const MembersChanged&);
  void On(TimeMs at, const CutOffRequested&);
  void On(TimeMs at, const PauseRequested&);

  void TakeMembers(const std::vector<CollaboratorName>& members);
  // The open round does without those of its collaborators who are no members, and sums over all
  // sites are to forget them.
  void DropWhoLeft(TimeMs at);
  // Opens the first round from `round` on in which anybody has a task, or ends the federation.
  void OpenRound(Round round, const ModelId& model);
  void CloseRoundIfDue(TimeMs at);
  void CloseRound();
  void ChooseBest(const std::vector<AggregatedMetric>& metrics);
  void StopIfStalled();
  bool AnyScores(const Assignments& assignments) const;
  void AggregateOrKeep();
  void Commit(const ModelId& model);
  void DoPrune(Round round);

  bool IsMember(const CollaboratorName& who) const { return members_.contains(who); }
  std::uint32_t training_end() const;   // the first round that will not train
  RoundOpened Draw(Round round) const;  // without its model
  Assignments AssignmentsOf(Round round, bool everyone) const;
  std::vector<TaskName> Outstanding(const CollaboratorName& who) const;
  // Of those that can still do their part, as many as are waited for.
  RoundProgress Progress() const;
  // Why a new result cannot be taken; none if it can.
  std::optional<std::string> Objection(const ResultStaged& result) const;
  // Why nothing can be taken from `who`; why an administrator cannot have the round closed now, or
  // the process end after it.
  std::optional<std::string> ObjectionTo(const CollaboratorName& who) const;
  std::optional<std::string> ObjectionToCutOff() const;
  std::optional<std::string> ObjectionToPause() const;
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
