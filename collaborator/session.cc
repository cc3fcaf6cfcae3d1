#include "collaborator/session.h"

#include <algorithm>
#include <ranges>
#include <set>
#include <string_view>
#include <utility>

#include "core/base/format.h"

namespace fx::collaborator {
namespace {

bool IsModelId(std::string_view id) {
  return id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Status CheckAssignment(const TaskAssignment& assignment,
                       const std::map<TaskName, TaskSpec>& plan_tasks) {
  if (assignment.quit) return Ok();
  const auto refuse = [](std::string what) {
    return Fail(Error(ErrorCode::kInvalidArgument, "the aggregator " + std::move(what))
                    .Hint("it does not run the same plan, or is not an fx aggregator"));
  };
  if (!IsModelId(assignment.model.value)) return refuse("sent a model id that is none");
  if (assignment.tasks.empty()) return refuse("assigned no tasks");
  std::set<TaskName> seen;
  for (const TaskName& task : assignment.tasks) {
    if (!plan_tasks.contains(task)) {
      return refuse(format("assigned the task {}, which the plan does not have", task.value));
    }
    if (!seen.insert(task).second) return refuse(format("assigned {} twice", task.value));
  }
  return Ok();
}

}  // namespace

Session::Session(SessionOptions options, Remembered remembered)
    : options_(std::move(options)),
      models_(std::move(remembered.models)),
      finished_(std::move(remembered.finished)) {
  std::ranges::sort(finished_, {}, &FinishedTask::sequence);
  for (const FinishedTask& result : finished_) {
    if (remembered.closed && result.round <= *remembered.closed) continue;
    if (!open_ || *open_ < result.round) open_ = result.round;
  }
}

Step Session::Next() const {
  if (!assignment_) return AskForTasks{};
  if (open_ && (RoundIsDone() || assignment_->quit || *open_ != assignment_->round)) {
    CloseRound close{.round = *open_, .results = {}};
    std::ranges::copy_if(finished_, std::back_inserter(close.results),
                         [&](const FinishedTask& result) { return result.round == *open_; });
    return close;
  }
  if (!tidy_) return Tidy{.models = ModelsToKeep(), .results = ResultsToKeep()};
  if (assignment_->quit) return Leave{};
  return NextFor(assignment_->tasks.front());
}

Step Session::NextFor(const TaskName& task) const {
  if (const FinishedTask* result = Find(task)) return SendResult{.result = *result};
  if (std::ranges::find(models_, assignment_->model) == models_.end()) {
    return FetchModel{.model = assignment_->model, .size = assignment_->model_size};
  }
  const TaskSpec& spec = options_.tasks.at(task);
  if (spec.function == TaskFunction::kTrain || spec.apply == ApplyTo::kGlobal) return Run(task);

  const std::optional<TaskName> trainer = Trainer();
  if (!trainer) return Run(task);
  const FinishedTask* trained = Find(*trainer);
  if (trained == nullptr) return Run(*trainer);
  RunTask run = Run(task);
  run.trained = *trained;
  return run;
}

RunTask Session::Run(const TaskName& task) const {
  RunTask run{.round = assignment_->round,
              .task = task,
              .model = assignment_->model,
              .trained = std::nullopt,
              .optimizer = std::nullopt,
              .state_is_lost = false,
              .sequence = finished_.empty() ? 0 : finished_.back().sequence + 1};
  if (options_.tasks.at(task).function != TaskFunction::kTrain) return run;
  if (const FinishedTask* state = StateToContinueFrom()) run.optimizer = *state;
  run.state_is_lost =
      options_.follow_the_model && !assignment_->counted.value.empty() && !run.optimizer;
  return run;
}

// The task whose parameters a local validation judges: the last that trained in this round, or the
// plan's first if its result was lost since it was sent.
std::optional<TaskName> Session::Trainer() const {
  for (const FinishedTask& result : std::views::reverse(finished_)) {
    if (result.trained() && result.round == assignment_->round) return result.task;
  }
  for (const auto& [name, spec] : options_.tasks) {
    if (spec.function == TaskFunction::kTrain) return name;
  }
  return std::nullopt;
}

const FinishedTask* Session::Find(const TaskName& task) const {
  const auto it = std::ranges::find_if(finished_, [&](const FinishedTask& result) {
    return result.round == assignment_->round && result.task == task;
  });
  return it == finished_.end() ? nullptr : &*it;
}

bool Session::CanContinueFrom(const FinishedTask& result) const {
  if (result.optimizer.value.empty()) return false;
  if (!options_.follow_the_model) return true;
  return result.round < assignment_->round && result.update == assignment_->counted;
}

const FinishedTask* Session::StateToContinueFrom() const {
  for (const FinishedTask& result : std::views::reverse(finished_)) {
    if (CanContinueFrom(result)) return &result;
  }
  return nullptr;
}

bool Session::RoundIsDone() const {
  return !assignment_->quit && assignment_->tasks.empty();
}

// The current model, whether it is here yet or not, and the most recent others.
std::vector<ModelId> Session::ModelsToKeep() const {
  if (assignment_->quit) return {};
  std::vector<ModelId> keep = models_;
  std::erase(keep, assignment_->model);
  const std::size_t others = std::max<std::size_t>(options_.keep_models, 1) - 1;
  if (keep.size() > others) keep.erase(keep.begin(), keep.end() - static_cast<long>(others));
  keep.push_back(assignment_->model);
  return keep;
}

// Results of this round that started from its model, and the optimizer state of an earlier one to
// continue from. A later round, or the same from another model, is left from a federation that was
// started afresh.
std::vector<FinishedTask> Session::ResultsToKeep() const {
  if (assignment_->quit) return {};
  std::vector<FinishedTask> keep;
  const FinishedTask* optimizer = nullptr;
  for (const FinishedTask& result : finished_) {
    if (result.round == assignment_->round && result.model == assignment_->model) {
      keep.push_back(result);
    } else if (result.round < assignment_->round && CanContinueFrom(result)) {
      optimizer = &result;
    }
  }
  if (optimizer != nullptr) keep.insert(keep.begin(), *optimizer);
  return keep;
}

Status Session::OnAssigned(const TaskAssignment& assignment) {
  TRY(CheckAssignment(assignment, options_.tasks));
  assignment_ = assignment;
  tidy_ = false;
  if (!open_ && !assignment.quit) open_ = assignment.round;
  return Ok();
}

void Session::OnFetched(const ModelId& model) {
  models_.push_back(model);
}

void Session::OnFinished(FinishedTask result) {
  finished_.push_back(std::move(result));
}

void Session::OnSent() {
  assignment_->tasks.erase(assignment_->tasks.begin());
}

void Session::OnClosed() {
  open_.reset();
  if (RoundIsDone()) {
    assignment_.reset();
  } else if (!assignment_->quit) {
    open_ = assignment_->round;
  }
}

void Session::OnTidied() {
  const bool here = std::ranges::find(models_, assignment_->model) != models_.end();
  finished_ = ResultsToKeep();
  models_ = ModelsToKeep();
  if (!here && !models_.empty()) models_.pop_back();
  tidy_ = true;
}

void Session::OnRoundMovedOn() {
  assignment_.reset();
}

}  // namespace fx::collaborator
