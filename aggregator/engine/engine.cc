#include "aggregator/engine/engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "aggregator/engine/assigner.h"
#include "aggregator/engine/metrics.h"
#include "core/base/error.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

bool SameMetric(const Metric& a, const Metric& b) {  // a NaN is the same as itself
  return a.name == b.name && (a.value == b.value || (std::isnan(a.value) && std::isnan(b.value)));
}

// The update's digest stands for its bytes; without one, what was reported must be the same.
bool SameResult(const ResultAccepted& a, const ResultStaged& b) {
  if (a.update != b.update || a.num_samples != b.num_samples) return false;
  return !a.update.value.empty() || std::ranges::equal(a.metrics, b.metrics, SameMetric);
}

std::string Describe(const State& state) {
  switch (state.phase) {
    case Phase::kIdle:
      return "no round is open";
    case Phase::kCollecting:
      return format("round {} is open", Number(state.round));
    case Phase::kAggregating:
      return format("round {} is closed and being aggregated", Number(state.round));
    case Phase::kFinished:
      return "the federation is over";
  }
  return {};
}

std::string NotAMember(const CollaboratorName& who) {
  return format("{} is not among the plan's collaborators (cols.yaml)", who.value);
}

std::set<TaskName> TasksInUse(const Plan& plan, bool (*wanted)(const TaskSpec&)) {
  std::set<TaskName> names;
  for (const TaskGroup& group : plan.task_groups) {
    for (const TaskName& name : group.tasks) {
      const auto task = plan.tasks.find(name);
      if (task != plan.tasks.end() && wanted(task->second)) names.insert(name);
    }
  }
  return names;
}

bool Trains(const TaskSpec& task) {
  return task.function == TaskFunction::kTrain;
}
bool Judges(const TaskSpec& task) {
  return task.function == TaskFunction::kValidate && task.apply == ApplyTo::kGlobal;
}

}  // namespace

EngineOptions OptionsFor(const Plan& plan) {
  return {.rounds_to_train = plan.aggregator.rounds_to_train,
          .members = plan.authorized,
          .training_tasks = TasksInUse(plan, Trains),
          .judging_tasks = TasksInUse(plan, Judges),
          .sampling = plan.sampling,
          .stragglers = plan.stragglers,
          .keep_models = plan.aggregator.db_store_rounds,
          .assign = [plan](Round round) { return Assign(plan, round); }};
}

Ready Engine::Step(const Event& event) {
  std::visit([&](const auto& body) { On(event.at, body); }, event.body);
  return std::exchange(ready_, {});
}

Ready Engine::Resume() {
  if (state_.best) Do(SaveBestModel{.round = state_.best->round, .model = state_.best->model});
  if (state_.last) Do(SaveLastModel{.round = state_.last->round, .model = state_.last->model});
  if (state_.phase == Phase::kCollecting) DoPrune(state_.round);
  if (state_.phase == Phase::kAggregating) AggregateOrKeep();
  if (state_.phase == Phase::kFinished) {
    DoPrune(Next(state_.round));
    Do(Shutdown{});
  }
  return std::exchange(ready_, {});
}

void Engine::Enroll(const std::vector<CollaboratorName>& who,
                    std::function<Assignments(Round)> assign) {
  for (const CollaboratorName& name : who) {
    if (members_.insert(name).second) options_.members.push_back(name);
  }
  options_.assign = std::move(assign);
}

std::optional<TimeMs> Engine::NextDeadline() const {
  if (state_.phase != Phase::kCollecting) return std::nullopt;
  return WaitsForDeadline(options_.stragglers, Progress()) ? state_.deadline : std::nullopt;
}

void Engine::On(TimeMs, const Started& e) {
  // Of a closed round everything is durable; should it be lost all the same, the fold will say so.
  if (state_.phase == Phase::kCollecting && !e.lost.empty()) Decide(ResultsLost{e.lost});
  if (state_.phase != Phase::kIdle || options_.members.empty()) return;
  if (state_.opened) return OpenRound(Next(state_.round), state_.model);
  OpenRound(Round{}, e.model);
}

void Engine::On(TimeMs at, const TasksRequested& e) {
  if (!IsMember(e.who)) {
    return Do(ReplyRejected{.request = e.request, .reason = NotAMember(e.who)});
  }
  CloseRoundIfDue(at);
  if (state_.phase == Phase::kFinished) return Do(ReplyQuit{e.request});
  std::vector<TaskName> tasks = Outstanding(e.who);
  if (tasks.empty()) return Do(ReplyWait{e.request});
  if (options_.stragglers.cutoff_ms && !state_.deadline) {
    Decide(DeadlineSet{at + *options_.stragglers.cutoff_ms});
  }
  Do(ReplyTasks{.request = e.request,
                .round = state_.round,
                .model = state_.model,
                .tasks = std::move(tasks)});
}

void Engine::On(TimeMs at, const ResultStaged& e) {
  if (const auto it = state_.accepted.find({e.task, e.who});
      it != state_.accepted.end() && e.round == state_.round && SameResult(it->second, e)) {
    return Do(ReplyAccepted{e.request});  // sent again because our reply was lost
  }
  if (std::optional<std::string> objection = Objection(e)) {
    return Do(ReplyRejected{.request = e.request, .reason = *std::move(objection)});
  }
  Decide(ResultAccepted{.who = e.who,
                        .task = e.task,
                        .update = e.update,
                        .num_samples = e.num_samples,
                        .metrics = e.metrics});
  Do(ReplyAccepted{e.request});
  CloseRoundIfDue(at);
}

void Engine::On(TimeMs at, const TaskFailed& e) {
  const auto known = state_.failed.find(e.who);
  if (known != state_.failed.end() && known->second.task == e.task && e.round == state_.round) {
    return Do(ReplyAccepted{e.request});  // said again because our reply was lost
  }
  if (std::optional<std::string> objection = Objection(e.who, e.round, e.task)) {
    return Do(ReplyRejected{.request = e.request, .reason = *std::move(objection)});
  }
  Decide(SiteFailed{.who = e.who, .task = e.task, .reason = e.reason});
  Do(ReplyAccepted{e.request});
  CloseRoundIfDue(at);
}

void Engine::On(TimeMs, const AggregationFinished& e) {
  if (state_.phase != Phase::kAggregating || e.round != state_.round) return;  // a repeat
  Commit(e.model);
}

void Engine::On(TimeMs at, const ClockAdvanced&) {
  CloseRoundIfDue(at);
}

std::optional<std::string> Engine::Objection(const CollaboratorName& who, Round round,
                                             const TaskName& task) const {
  if (!IsMember(who)) return NotAMember(who);
  const auto number = Number(round);
  if (!state_.opened) return Describe(state_);
  if (round < state_.round) return format("round {} is over; {}", number, Describe(state_));
  if (round > state_.round) return format("round {} has not begun; {}", number, Describe(state_));
  if (state_.accepted.contains({task, who})) {
    return format("task {} of round {} already has a different result from {}; {}", task.value,
                  number, who.value, Describe(state_));
  }
  if (state_.phase != Phase::kCollecting) return Describe(state_);
  if (const auto failed = state_.failed.find(who); failed != state_.failed.end()) {
    return format("{} is left out of round {}: its task {} failed", who.value, number,
                  failed->second.task.value);
  }
  const std::vector<TaskName> tasks = Outstanding(who);
  if (std::ranges::find(tasks, task) != tasks.end()) return std::nullopt;
  return format("task {} was not assigned to {} in round {}; {}", task.value, who.value, number,
                Describe(state_));
}

std::optional<std::string> Engine::Objection(const ResultStaged& result) const {
  if (auto objection = Objection(result.who, result.round, result.task)) return objection;
  const bool trains = options_.training_tasks.contains(result.task);
  if (trains && result.update.value.empty()) {
    return format("task {} trains, but its result has no weights", result.task.value);
  }
  if (!trains && !result.update.value.empty()) {
    return format("task {} does not train, but its result has weights", result.task.value);
  }
  return std::nullopt;
}

void Engine::OpenRound(Round round, const ModelId& model) {
  for (; Number(round) < end(); round = Next(round)) {
    Assignments assignments = AssignmentsOf(round);
    if (assignments.empty()) continue;
    Decide(RoundOpened{.round = round, .model = model, .assignments = std::move(assignments)});
    DoPrune(round);
    return Do(WakeWaiters{});
  }
  Decide(FederationFinished{});
  DoPrune(round);
  Do(WakeWaiters{});
  Do(Shutdown{});
}

void Engine::CloseRoundIfDue(TimeMs at) {
  if (state_.phase != Phase::kCollecting) return;
  const bool past_deadline = state_.deadline && at >= *state_.deadline;
  if (!MayClose(options_.stragglers, Progress(), past_deadline)) return;
  RoundClosed closed{.stragglers = {}, .metrics = AverageMetrics(state_, options_.members)};
  for (const auto& [who, tasks] : state_.assignments) {
    if (!state_.Completed(who)) closed.stragglers.insert(who);
  }
  Decide(closed);
  ChooseBest(closed.metrics);
  AggregateOrKeep();
}

void Engine::ChooseBest(const std::vector<AggregatedMetric>& metrics) {
  const std::optional<Score> score = ScoreOf(metrics, options_.judging_tasks);
  if (!score || !Beats(*score, state_.best)) return;
  Decide(BestModelChosen{.round = state_.round,
                         .model = state_.model,
                         .metric = score->metric,
                         .score = score->value});
  Do(SaveBestModel{.round = state_.round, .model = state_.model});
}

void Engine::AggregateOrKeep() {
  FX_CHECK(state_.phase == Phase::kAggregating);
  AggregateRound job{
      .round = state_.round, .base = state_.model, .first = !state_.last, .tasks = {}};
  for (const TaskName& task : options_.training_tasks) {
    for (const CollaboratorName& who : options_.members) {
      const auto it = state_.accepted.find({task, who});
      if (it == state_.accepted.end() || !state_.Counts(it->second)) continue;
      job.tasks[task].push_back(
          {.who = who, .update = it->second.update, .num_samples = it->second.num_samples});
    }
  }
  if (job.tasks.empty()) return Commit(ModelId(state_.model));
  Do(std::move(job));
}

void Engine::Commit(const ModelId& model) {
  Decide(ModelCommitted{model});
  if (state_.last && state_.last->round == Next(state_.round)) {
    Do(SaveLastModel{.round = state_.last->round, .model = model});
  }
  OpenRound(Next(state_.round), model);
}

void Engine::DoPrune(Round round) {
  const std::size_t kept = std::min(options_.keep_models, state_.history.size());
  std::vector<ModelId> keep(state_.history.end() - static_cast<std::ptrdiff_t>(kept),
                            state_.history.end());
  const auto add = [&](const ModelId& model) {
    if (std::ranges::find(keep, model) == keep.end()) keep.push_back(model);
  };
  add(state_.model);
  if (state_.best) add(state_.best->model);
  Do(Prune{.round = round, .keep = std::move(keep)});
}

std::uint32_t Engine::end() const {
  const bool judge_last = !options_.training_tasks.empty() && !options_.judging_tasks.empty();
  return options_.rounds_to_train + (judge_last ? 1 : 0);
}

RoundProgress Engine::Progress() const {
  const std::size_t able = state_.assignments.size() - state_.failed.size();
  const std::size_t wanted = NumWanted(options_.sampling, options_.members.size());
  return {.assigned = std::min(able, wanted), .done = state_.completed};
}

Assignments Engine::AssignmentsOf(Round round) const {
  Assignments assignments = options_.assign(round);
  if (Number(round) >= options_.rounds_to_train) {
    for (auto& [who, tasks] : assignments) {
      std::erase_if(tasks,
                    [&](const auto& task) { return !options_.judging_tasks.contains(task); });
    }
  }
  std::erase_if(assignments, [](const auto& entry) { return entry.second.empty(); });
  return assignments;
}

std::vector<TaskName> Engine::Outstanding(const CollaboratorName& who) const {
  const auto assigned = state_.assignments.find(who);
  if (state_.phase != Phase::kCollecting || assigned == state_.assignments.end()) return {};
  if (state_.failed.contains(who)) return {};
  std::vector<TaskName> tasks;
  for (const TaskName& task : assigned->second) {
    if (!state_.accepted.contains({task, who})) tasks.push_back(task);
  }
  return tasks;
}

void Engine::Decide(Record record) {
  Apply(record, state_);
  ready_.records.push_back(std::move(record));
}

void Engine::Do(Action action) {
  ready_.actions.push_back(std::move(action));
}

}  // namespace fx::aggregator
