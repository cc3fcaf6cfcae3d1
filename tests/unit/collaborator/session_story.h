// A collaborator's session as a story: its steps a line each, done one after the other.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collaborator/session.h"

namespace fx::collaborator::test {

inline const TaskName kJudge{"aggregated_model_validation"};
inline const TaskName kTrain{"train"};
inline const TaskName kJudgeLocally{"locally_tuned_model_validation"};

inline ModelId ModelOf(char digit) {
  return {std::string(64, digit)};
}

inline std::map<TaskName, TaskSpec> PlanTasks() {
  std::map<TaskName, TaskSpec> tasks;
  const auto add = [&](const TaskName& name, TaskFunction function, ApplyTo apply) {
    tasks[name] = TaskSpec{
        .name = name, .function = function, .apply = apply, .metrics = {}, .batch_size = {}};
  };
  add(kJudge, TaskFunction::kValidate, ApplyTo::kGlobal);
  add(kTrain, TaskFunction::kTrain, ApplyTo::kGlobal);
  add(kJudgeLocally, TaskFunction::kValidate, ApplyTo::kLocal);
  return tasks;
}

inline TaskAssignment Assignment(std::uint32_t round, std::vector<TaskName> tasks, char model) {
  return {
      .round = Round{round}, .tasks = std::move(tasks), .model = ModelOf(model), .model_size = 100};
}

inline TaskAssignment Quit() {
  TaskAssignment assignment;
  assignment.quit = true;
  return assignment;
}

// A step as one line, so that a story reads as a list.
inline std::string Text(const FinishedTask& result) {
  return result.task.value + "@" + std::to_string(Number(result.round));
}
inline std::string Text(const AskForTasks&) {
  return "ask";
}
inline std::string Text(const FetchModel& fetch) {
  return "fetch " + fetch.model.value.substr(0, 1);
}
inline std::string Text(const RunTask& run) {
  std::string text = "run " + run.task.value + "@" + std::to_string(Number(run.round));
  text += " on " + (run.trained ? Text(*run.trained) : run.model.value.substr(0, 1));
  if (run.state_is_lost) text += " but the state is lost";
  return run.optimizer ? text + " after " + Text(*run.optimizer) : text;
}
inline std::string Text(const SendResult& send) {
  return "send " + Text(send.result);
}
inline std::string Text(const CloseRound& close) {
  std::string text = "close " + std::to_string(Number(close.round)) + ":";
  for (const FinishedTask& result : close.results) text += " " + Text(result);
  return text;
}
inline std::string Text(const Tidy& tidy) {
  std::string text = "keep";
  for (const ModelId& model : tidy.models) text += " " + model.value.substr(0, 1);
  for (const FinishedTask& result : tidy.results) text += " " + Text(result);
  return text;
}
inline std::string Text(const Leave&) {
  return "leave";
}

// Drives a session as TaskLoop does; the story names each step, and the session is told that it
// is done before the next.
class Story : public testing::Test {
 protected:
  explicit Story(bool keeps_optimizer = false, bool follows_the_model = false)
      : keeps_optimizer_(keeps_optimizer), follows_the_model_(follows_the_model) {}

  // The next step, left undone.
  std::string Next() const {
    return std::visit([](const auto& step) { return Text(step); }, session_.Next());
  }
  // The next step, done.
  std::string Do() {
    const std::string text = Next();
    std::visit([this](const auto& step) { Done(step); }, session_.Next());
    return text;
  }
  Status Assign(const TaskAssignment& assignment) { return session_.OnAssigned(assignment); }
  void RoundMovesOn() { session_.OnRoundMovedOn(); }

  // As after kill -9: only what is on disk remains.
  void Restart(std::size_t keep_models = 1) {
    session_ = Session(
        {.tasks = PlanTasks(), .keep_models = keep_models, .follow_the_model = follows_the_model_},
        disk_);
  }

  Remembered disk_;

 private:
  void Done(const AskForTasks&) { FAIL() << "assign something instead"; }
  void Done(const FetchModel& fetch) {
    disk_.models.push_back(fetch.model);
    session_.OnFetched(fetch.model);
  }
  void Done(const RunTask& run) {
    FinishedTask result{.round = run.round,
                        .task = run.task,
                        .model = run.model,
                        .sequence = run.sequence,
                        .metrics = {},
                        .update = {},
                        .optimizer = {}};
    if (run.task == kTrain) {
      result.update.value = "trained@" + std::to_string(Number(run.round));
      if (keeps_optimizer_) result.optimizer.value = "state";
    }
    disk_.finished.push_back(result);
    session_.OnFinished(result);
  }
  void Done(const SendResult&) { session_.OnSent(); }
  void Done(const CloseRound& close) {
    disk_.closed = close.round;
    session_.OnClosed();
  }
  void Done(const Tidy& tidy) {
    std::erase_if(disk_.models, [&](const ModelId& model) {
      return std::ranges::find(tidy.models, model) == tidy.models.end();
    });
    disk_.finished = tidy.results;
    session_.OnTidied();
  }
  void Done(const Leave&) {}

  bool keeps_optimizer_;
  bool follows_the_model_;
  Session session_{{.tasks = PlanTasks(), .keep_models = 1, .follow_the_model = follows_the_model_},
                   {}};
};

class ContinuingStory : public Story {
 protected:
  ContinuingStory() : Story(/*keeps_optimizer=*/true) {}
};

}  // namespace fx::collaborator::test
