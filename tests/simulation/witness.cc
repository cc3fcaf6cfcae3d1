#include "tests/simulation/witness.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "aggregator/engine/round_policy.h"
#include "core/base/format.h"
#include "plan/model_layout.h"
#include "tests/simulation/fake_training.h"

namespace fx::sim {

using aggregator::Phase;
using aggregator::ResultAccepted;
using aggregator::State;

namespace {

bool SameResult(const ResultAccepted& a, const ResultAccepted& b) {
  return std::tie(a.who, a.task, a.update, a.num_samples, a.metrics) ==
         std::tie(b.who, b.task, b.update, b.num_samples, b.metrics);
}

bool SameBest(const State& a, const State& b) {
  if (!a.best || !b.best) return !a.best && !b.best;
  return a.best->round == b.best->round && a.best->model == b.best->model &&
         a.best->score == b.best->score;
}

bool SameLast(const State& a, const State& b) {
  if (!a.last || !b.last) return !a.last && !b.last;
  return a.last->round == b.last->round && a.last->model == b.last->model;
}

bool SameRound(const State& a, const State& b) {
  return std::tie(a.phase, a.opened, a.round, a.model, a.deadline, a.assignments, a.stragglers,
                  a.contributors, a.forgets) == std::tie(b.phase, b.opened, b.round, b.model,
                                                         b.deadline, b.assignments, b.stragglers,
                                                         b.contributors, b.forgets);
}

bool Same(const State& a, const State& b) {
  return SameRound(a, b) && SameBest(a, b) && SameLast(a, b) && a.history == b.history &&
         a.counted == b.counted && a.part_left == b.part_left &&
         std::ranges::equal(a.accepted, b.accepted, [](const auto& x, const auto& y) {
           return x.first == y.first && SameResult(x.second, y.second);
         });
}

}  // namespace

std::string SpoolName(Round round, const CollaboratorName& who, const TaskName& task,
                      const UpdateId& update) {
  return format("spool/{}+{}+{}+{}.fxm", Number(round), who.value, task.value, update.value);
}

std::string ModelName(const ModelId& model) {
  return "models/" + model.value + ".fxm";
}

void Witness::Journaled(const aggregator::Record& record) {
  if (const auto* opened = std::get_if<aggregator::RoundOpened>(&record)) {
    if (journal_.opened)
      Check(opened->model == journal_.model, "a round starts from another model");
    CheckModel(opened->model);
    gone_at_opening_ = gone_;
  } else if (const auto* closed = std::get_if<aggregator::RoundClosed>(&record)) {
    CheckClosed(*closed);
  } else if (const auto* result = std::get_if<ResultAccepted>(&record)) {
    Check(counted_.emplace(journal_.round, result->who, result->task).second,
          "a result is counted twice");
    CheckUpdate(*result);
    if (!in_the_model_.contains(result->who)) gone_.erase(result->who);
  } else if (const auto* committed = std::get_if<aggregator::ModelCommitted>(&record)) {
    Check(committed->model == ExpectedAggregate(),
          "the model is not the aggregate of what the journal says");
    CheckModel(committed->model);
    FollowStates();
  }
  Apply(record, journal_);
}

void Witness::MembersAre(const std::vector<CollaboratorName>& members) {
  for (const CollaboratorName& who : plan_.authorized) {
    if (std::ranges::find(members, who) == members.end()) gone_.insert(who);
  }
}

void Witness::CheckClosed(const aggregator::RoundClosed& closed) const {
  std::vector<CollaboratorName> done;
  for (const CollaboratorName& who : plan_.authorized) {
    if (journal_.Completed(who)) done.push_back(who);
  }
  Check(closed.contributors == done, "a round is not summed in the order of the authorised list");
  if (!HasSums(plan_) || closed.forgets) return;
  for (const auto& [who, update] : in_the_model_) {
    Check(!gone_at_opening_.contains(who),
          "what somebody who has left for good had in the sums is not forgotten");
  }
}

void Witness::FollowStates() {
  bool any = false;
  for (const auto& [key, result] : journal_.accepted) {
    if (result.update.value.empty() || journal_.stragglers.contains(result.who)) continue;
    UpdateId& newest = in_the_model_[result.who];
    Check(!HasSums(plan_) || states_.at(result.update) == newest,
          "a control variate and the sums in the model do not belong together");
    newest = result.update;
    any = true;
  }
  if (!any || !journal_.forgets) return;
  in_the_model_.clear();
  gone_.clear();
}

void Witness::CheckModel(const ModelId& model) const {
  const std::string name = ModelName(model);
  if (!disk_.Exists(name)) throw Violation{"the journal names a model that is not there: " + name};
  const std::string& bytes = disk_.Read(name);
  Check(ModelIdOf(bytes) == model, "the journal names a model that is damaged");
  Check(disk_.IsDurable(name, bytes), "the journal names a model that a power cut could take");
}

void Witness::CheckUpdate(const ResultAccepted& result) const {
  if (result.update.value.empty()) return;
  const std::string name = SpoolName(journal_.round, result.who, result.task, result.update);
  if (!disk_.Exists(name)) throw Violation{"an accepted update is not there: " + name};
  Check(disk_.Read(name) == updates_.at(result.update), "an accepted update is damaged");
  Check(disk_.IsDurable(name, updates_.at(result.update)),
        "an accepted update is where a power cut could take it");
}

std::set<TaskName> Witness::TasksThatTrain() const {
  std::set<TaskName> tasks;
  for (const auto& [name, task] : plan_.tasks) {
    if (task.function == TaskFunction::kTrain) tasks.insert(name);
  }
  return tasks;
}

// By task, and then in the order in which it was closed.
ModelId Witness::ExpectedAggregate() const {
  std::vector<Weighted> updates;
  for (const TaskName& task : TasksThatTrain()) {
    for (const CollaboratorName& who : journal_.contributors) {
      const auto result = journal_.accepted.find({task, who});
      if (result == journal_.accepted.end()) continue;
      updates.push_back({.num_samples = result->second.num_samples,
                         .update = updates_.at(result->second.update)});
    }
  }
  if (updates.empty()) return journal_.model;
  return ModelIdOf(Aggregate(disk_.Read(ModelName(journal_.model)), updates));
}

void Witness::Answers(const CollaboratorName& who, const aggregator::Reply& reply,
                      const std::optional<TaskResult>& result) const {
  if (std::holds_alternative<aggregator::QuitReply>(reply)) {
    Check(finished(), "a collaborator is sent home before the journal says that it is over");
  } else if (const auto* tasks = std::get_if<aggregator::TasksReply>(&reply)) {
    Check(journal_.phase == Phase::kCollecting && journal_.round == tasks->round &&
              journal_.model == tasks->model,
          "tasks are handed out of a round that the journal does not know");
    Check(!plan_.stragglers.cutoff_ms || journal_.deadline.has_value(),
          "tasks are handed out before the deadline is in the journal");
  } else if (std::holds_alternative<aggregator::AcceptedReply>(reply) && result) {
    Check(counted_.contains({result->round, who, result->task}),
          "a result is acknowledged that is not in the journal");
    const auto accepted = journal_.accepted.find({result->task, who});
    if (result->round != journal_.round || accepted == journal_.accepted.end()) return;
    Check(accepted->second.update == result->update,
          "an update is acknowledged, but another one is in the journal");
  }
}

void Witness::FoldBegins(const aggregator::AggregateRound& job) {
  Check(!folding_, "a second fold begins before the first has ended");
  Check(journal_.phase == Phase::kAggregating && journal_.round == job.round,
        "a round is folded that the journal does not know as closed");
  folding_ = true;
}

void Witness::CheckState(const State& state) const {
  Check(Same(state, journal_), "the engine's state is not what a replay of the journal gives");
}

void Witness::CheckDeadline(TimeMs now) const {
  if (journal_.phase != Phase::kCollecting || !journal_.deadline || now < *journal_.deadline)
    return;
  aggregator::RoundProgress progress{.assigned = journal_.assignments.size()};
  for (const auto& [who, tasks] : journal_.assignments) {
    if (journal_.Completed(who)) ++progress.done;
  }
  Check(!MayClose(plan_.stragglers, progress, true), "a deadline passes unnoticed");
}

void Witness::CheckFiles() const {
  if (!journal_.opened) return;
  CheckModel(journal_.model);
  if (journal_.best) CheckModel(journal_.best->model);
  if (journal_.phase != Phase::kCollecting && journal_.phase != Phase::kAggregating) return;
  for (const auto& [key, result] : journal_.accepted) CheckUpdate(result);
}

}  // namespace fx::sim
