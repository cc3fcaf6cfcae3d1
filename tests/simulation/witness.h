// Sees all that happens and keeps its own account of it: what must be true of every federation,
// whatever goes wrong, is checked here. A check that fails throws Violation.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "aggregator/engine/action.h"
#include "aggregator/engine/record.h"
#include "aggregator/engine/state.h"
#include "aggregator/server/waiters.h"
#include "collaborator/link.h"
#include "tests/simulation/fake_disk.h"
#include "tests/simulation/scenario.h"

namespace fx::sim {

// Where the aggregator keeps an update, and a model.
std::string SpoolName(Round round, const CollaboratorName& who, const TaskName& task,
                      const UpdateId& update);
std::string ModelName(const ModelId& model);

class Witness {
 public:
  // `disk` is the aggregator's.
  Witness(const Plan& plan, const FakeDisk& disk) : plan_(plan), disk_(disk) {}

  // A collaborator has made these bytes.
  void Made(const UpdateId& update, const std::string& bytes) { updates_[update] = bytes; }

  // It was trained from the state that goes with an earlier one; with none, if that is empty.
  void Continues(const UpdateId& update, const UpdateId& from) { states_[update] = from; }

  // The aggregator is about to hear that the authorised list is this one now: some of the plan's
  // collaborators, in its order.
  void MembersAre(const std::vector<CollaboratorName>& members);

  // The record has become durable. What it names must be durable too, a result counts once, and a
  // model is the aggregate of what the journal says, in the order of the authorised list. With
  // control variates an update counts only if it goes on from its site's last that counted, and of
  // somebody who had gone when a round began, if only for a while, nothing is left in the sums when
  // it has ended.
  void Journaled(const aggregator::Record& record);

  // The aggregator is about to say so: its records must be in the journal.
  void Answers(const CollaboratorName& who, const aggregator::Reply& reply,
               const std::optional<TaskResult>& result) const;

  void FoldBegins(const aggregator::AggregateRound& job);
  void FoldEnded() { folding_ = false; }
  void AggregatorDied() { folding_ = false; }

  // What the engine believes is what the journal says.
  void CheckState(const aggregator::State& state) const;
  // A deadline that has passed is all that a round still waits for: it must have been closed.
  void CheckDeadline(TimeMs now) const;
  // Whatever the journal names, and is still needed, is there; and would be after a power cut.
  void CheckFiles() const;

  const aggregator::State& journal() const { return journal_; }
  bool finished() const { return journal_.phase == aggregator::Phase::kFinished; }

 private:
  void CheckModel(const ModelId& model) const;
  void CheckUpdate(const aggregator::ResultAccepted& result) const;
  ModelId ExpectedAggregate() const;
  void CheckClosed(const aggregator::RoundClosed& closed) const;
  void FollowStates();
  std::set<TaskName> TasksThatTrain() const;

  const Plan& plan_;
  const FakeDisk& disk_;
  aggregator::State journal_;  // replayed, record by record
  std::set<std::tuple<Round, CollaboratorName, TaskName>> counted_;
  std::map<UpdateId, std::string> updates_;
  std::map<UpdateId, UpdateId> states_;                // what each was trained from
  std::map<CollaboratorName, UpdateId> in_the_model_;  // of each, the newest
  // Those who were off the list since what they have in the sums began.
  std::set<CollaboratorName> gone_, gone_at_opening_;
  bool folding_ = false;
};

}  // namespace fx::sim
