#include "aggregator/engine/engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "aggregator/engine/assigner.h"
#include "aggregator/engine/metrics.h"
#include "core/base/error.h"
#include "core/base/format.h"
#include "plan/model_layout.h"
#include "plan/sampling.h"

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

// What a Python class reports, the plan does not know.
std::set<TaskName> TasksThatScore(const Plan& plan) {
  const std::string& metric = plan.aggregator.best_model.metric;
  std::set<TaskName> tasks = TasksInUse(plan, Judges);
  if (metric.empty() || !plan.python_parts.empty()) return tasks;
  std::erase_if(tasks, [&](const TaskName& name) {
    const std::vector<std::string>& metrics = plan.tasks.at(name).metrics;
    return std::ranges::find(metrics, metric) == metrics.end();
  });
  return tasks;
}

}  // namespace

EngineOptions OptionsFor(const Plan& plan) {
  return {
      .rounds_to_train = plan.aggregator.rounds_to_train,
      .members = plan.authorized,
      .training_tasks = TasksInUse(plan, Trains),
      .judging_tasks = TasksInUse(plan, Judges),
      .has_sums = HasSums(plan),
      .sampling = plan.sampling,
      .stragglers = plan.stragglers,
      .best_model = plan.aggregator.best_model,
      .keep_models = plan.aggregator.db_store_rounds,
      .scoring_tasks = TasksThatScore(plan),
      .assign = [plan](const std::vector<CollaboratorName>& members, Round round, bool everyone) {
        Plan now = plan;
        now.authorized = members;
        if (everyone) now.sampling = {};
        return Assign(now, round);
      }};
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

std::optional<TimeMs> Engine::NextDeadline() const {
  if (state_.phase != Phase::kCollecting) return std::nullopt;
  return WaitsForDeadline(options_.stragglers, Progress()) ? state_.deadline : std::nullopt;
}

void Engine::On(TimeMs at, const Started& e) {
  if (state_.pausing) Decide(PauseSet{false});
  // Of a closed round everything is durable; should it be lost all the same, the fold will say so.
  if (state_.phase == Phase::kCollecting && !e.lost.empty()) Decide(ResultsLost{e.lost});
  DropWhoLeft(at);
  if (state_.phase != Phase::kIdle || options_.members.empty()) return;
  if (state_.opened) return OpenRound(Next(state_.round), state_.model);
  OpenRound(Round{}, e.model);
}

void Engine::On(TimeMs at, const TasksRequested& e) {
  if (!IsMember(e.who)) {
    return Do(ReplyRejected{.request = e.request, .reason = *ObjectionTo(e.who)});
  }
  CloseRoundIfDue(at);
  if (state_.phase == Phase::kFinished) return Do(ReplyQuit{e.request});
  std::vector<TaskName> tasks = Outstanding(e.who);
  if (tasks.empty()) return Do(ReplyWait{e.request});
  if (options_.stragglers.cutoff_ms && !state_.deadline) {
    Decide(DeadlineSet{at + *options_.stragglers.cutoff_ms});
  }
  const auto counted = state_.counted.find(e.who);
  Do(ReplyTasks{.request = e.request,
                .round = state_.round,
                .model = state_.model,
                .tasks = std::move(tasks),
                .counted = counted == state_.counted.end() ? UpdateId() : counted->second});
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

void Engine::On(TimeMs at, const MembersChanged& e) {
  TakeMembers(e.members);
  DropWhoLeft(at);
  CloseRoundIfDue(at);
  // There was nobody for a while.
  const bool waits = state_.phase == Phase::kIdle && state_.opened && !state_.pausing;
  if (waits) OpenRound(Next(state_.round), ModelId(state_.model));
}

void Engine::On(TimeMs, const CutOffRequested& e) {
  if (std::optional<std::string> objection = ObjectionToCutOff()) {
    return Do(ReplyRejected{.request = e.request, .reason = *std::move(objection)});
  }
  Do(ReplyAccepted{e.request});
  CloseRound();
}

void Engine::On(TimeMs, const PauseRequested& e) {
  if (std::optional<std::string> objection = ObjectionToPause()) {
    return Do(ReplyRejected{.request = e.request, .reason = *std::move(objection)});
  }
  if (!state_.pausing) Decide(PauseSet{true});
  Do(ReplyAccepted{e.request});
  if (state_.phase == Phase::kIdle) Do(Pause{});
}

void Engine::TakeMembers(const std::vector<CollaboratorName>& members) {
  options_.members = members;
  members_ = {members.begin(), members.end()};
}

void Engine::DropWhoLeft(TimeMs at) {
  if (state_.phase == Phase::kFinished) return;
  const bool collecting = state_.phase == Phase::kCollecting;
  const bool forgettable = options_.has_sums && !state_.part_left;
  std::set<CollaboratorName> left;
  const auto look_at = [&](const CollaboratorName& who) {
    if (!IsMember(who) && (collecting || state_.HasPart(who))) left.insert(who);
  };
  if (collecting || forgettable) {
    for (const auto& [who, tasks] : state_.assignments) look_at(who);
  }
  if (forgettable) {
    for (const auto& [who, update] : state_.counted) look_at(who);
  }
  for (const CollaboratorName& who : left) Decide(SiteLeft{who});
  if (!left.empty()) CloseRoundIfDue(at);
}

void Engine::OpenRound(Round round, const ModelId& model) {
  if (options_.members.empty()) {
    if (state_.pausing) Do(Pause{});
    return;
  }
  for (; Number(round) < end(); round = Next(round)) {
    RoundOpened opened = Draw(round);
    if (opened.assignments.empty()) continue;
    if (state_.pausing) return Do(Pause{});
    opened.model = model;
    Decide(std::move(opened));
    DoPrune(round);
    return Do(WakeWaiters{});
  }
  Decide(FederationFinished{});
  DoPrune(round);
  Do(WakeWaiters{});
  Do(Shutdown{});
}

void Engine::CloseRoundIfDue(TimeMs at) {
  if (state_.phase != Phase::kCollecting || options_.members.empty()) return;
  const bool past_deadline = state_.deadline && at >= *state_.deadline;
  if (MayClose(options_.stragglers, Progress(), past_deadline)) CloseRound();
}

void Engine::CloseRound() {
  RoundClosed closed{.stragglers = {},
                     .contributors = {},
                     .metrics = AverageMetrics(state_, options_.members),
                     .forgets = options_.has_sums && state_.part_left};
  for (const CollaboratorName& who : options_.members) {
    if (!state_.assignments.contains(who)) continue;
    if (state_.Completed(who)) {
      closed.contributors.push_back(who);
    } else {
      closed.stragglers.insert(who);
    }
  }
  Decide(closed);
  ChooseBest(closed.metrics);
  AggregateOrKeep();
}

bool Engine::AnyScores(const Assignments& assignments) const {
  return std::ranges::any_of(assignments, [&](const auto& entry) {
    return std::ranges::any_of(
        entry.second, [&](const TaskName& task) { return options_.scoring_tasks.contains(task); });
  });
}

// Everyone who was to judge the model may have failed, or not have finished: it is as good as NaN.
void Engine::ChooseBest(const std::vector<AggregatedMetric>& metrics) {
  const BestModelRule& rule = options_.best_model;
  std::optional<Score> score = ScoreOf(metrics, options_.judging_tasks, rule);
  if ((rule.smoothing > 0 || rule.patience) && (score || AnyScores(state_.assignments))) {
    Decide(Judge(score.value_or(Score{}), state_.scored, rule));
    if (score) score->value = state_.scored->score;
    StopIfStalled();
  }
  if (!score || !Beats(*score, state_.best)) return;
  Decide(BestModelChosen{.round = state_.round,
                         .model = state_.model,
                         .metric = score->metric,
                         .score = score->value});
  Do(SaveBestModel{.round = state_.round, .model = state_.model});
}

void Engine::StopIfStalled() {
  const std::optional<std::uint32_t> patience = options_.best_model.patience;
  if (!patience || state_.scored->stalled < *patience) return;
  if (Number(Next(state_.round)) >= training_end()) return;
  Decide(TrainingStopped{format("no gain in {} rounds", state_.scored->stalled)});
}

void Engine::AggregateOrKeep() {
  FX_CHECK(state_.phase == Phase::kAggregating);
  AggregateRound job{.round = state_.round,
                     .base = state_.model,
                     .first = !state_.last,
                     .forgets = state_.forgets,
                     .tasks = {}};
  for (const TaskName& task : options_.training_tasks) {
    for (const CollaboratorName& who : state_.contributors) {
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

std::uint32_t Engine::training_end() const {
  return state_.last_to_train ? Number(Next(*state_.last_to_train)) : options_.rounds_to_train;
}

std::uint32_t Engine::end() const {
  const bool judge_last = !options_.training_tasks.empty() && !options_.judging_tasks.empty();
  return training_end() + (judge_last ? 1 : 0);
}

RoundProgress Engine::Progress() const {
  const std::size_t able = state_.assignments.size() - state_.failed.size();
  return {.assigned = std::min(able, state_.wanted), .done = state_.completed};
}

RoundOpened Engine::Draw(Round round) const {
  RoundOpened drawn{.round = round,
                    .model = {},
                    .assignments = AssignmentsOf(round, false),
                    .wanted = NumWanted(options_.sampling, options_.members.size())};
  if (drawn.wanted >= drawn.assignments.size()) drawn.wanted = 0;
  // Nobody who was drawn may be one who judges. Training has other rounds; the last aggregate has
  // this one.
  if (Number(round) < training_end() || AnyScores(drawn.assignments)) return drawn;
  return {.round = round, .model = {}, .assignments = AssignmentsOf(round, true), .wanted = 0};
}

Assignments Engine::AssignmentsOf(Round round, bool everyone) const {
  Assignments assignments = options_.assign(options_.members, round, everyone);
  if (Number(round) >= training_end()) {
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
