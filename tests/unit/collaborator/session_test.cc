#include "collaborator/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tests/support/matchers.h"

namespace fx::collaborator {
namespace {

using test::IsError;
using test::IsOk;

const TaskName kJudge{"aggregated_model_validation"};
const TaskName kTrain{"train"};
const TaskName kJudgeLocally{"locally_tuned_model_validation"};

ModelId ModelOf(char digit) {
  return {std::string(64, digit)};
}

std::map<TaskName, TaskSpec> PlanTasks() {
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

TaskAssignment Assignment(std::uint32_t round, std::vector<TaskName> tasks, char model) {
  return {
      .round = Round{round}, .tasks = std::move(tasks), .model = ModelOf(model), .model_size = 100};
}

TaskAssignment Quit() {
  TaskAssignment assignment;
  assignment.quit = true;
  return assignment;
}

// A step as one line, so that a story reads as a list.
std::string Text(const FinishedTask& result) {
  return result.task.value + "@" + std::to_string(Number(result.round));
}
std::string Text(const AskForTasks&) {
  return "ask";
}
std::string Text(const FetchModel& fetch) {
  return "fetch " + fetch.model.value.substr(0, 1);
}
std::string Text(const RunTask& run) {
  std::string text = "run " + run.task.value + "@" + std::to_string(Number(run.round));
  text += " on " + (run.trained ? Text(*run.trained) : run.model.value.substr(0, 1));
  return run.optimizer ? text + " after " + Text(*run.optimizer) : text;
}
std::string Text(const SendResult& send) {
  return "send " + Text(send.result);
}
std::string Text(const CloseRound& close) {
  std::string text = "close " + std::to_string(Number(close.round)) + ":";
  for (const FinishedTask& result : close.results) text += " " + Text(result);
  return text;
}
std::string Text(const Tidy& tidy) {
  std::string text = "keep";
  for (const ModelId& model : tidy.models) text += " " + model.value.substr(0, 1);
  for (const FinishedTask& result : tidy.results) text += " " + Text(result);
  return text;
}
std::string Text(const Leave&) {
  return "leave";
}

// Drives a session as TaskLoop does; the story names each step, and the session is told that it
// is done before the next.
class Story : public testing::Test {
 protected:
  explicit Story(bool keeps_optimizer = false) : keeps_optimizer_(keeps_optimizer) {}

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
    session_ = Session({.tasks = PlanTasks(), .keep_models = keep_models}, disk_);
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
      result.update.value = "trained";
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
  Session session_{{.tasks = PlanTasks(), .keep_models = 1}, {}};
};

class ContinuingStory : public Story {
 protected:
  ContinuingStory() : Story(/*keeps_optimizer=*/true) {}
};

TEST_F(Story, ARoundFromQuestionToClose) {
  EXPECT_EQ(Next(), "ask");
  ASSERT_THAT(Assign(Assignment(0, {kJudge, kTrain, kJudgeLocally}, 'a')), IsOk());
  EXPECT_EQ(Do(), "keep a");
  EXPECT_EQ(Do(), "fetch a");
  EXPECT_EQ(Do(), "run aggregated_model_validation@0 on a");
  EXPECT_EQ(Do(), "send aggregated_model_validation@0");
  EXPECT_EQ(Do(), "run train@0 on a");
  EXPECT_EQ(Do(), "send train@0");
  EXPECT_EQ(Do(), "run locally_tuned_model_validation@0 on train@0");
  EXPECT_EQ(Do(), "send locally_tuned_model_validation@0");
  EXPECT_EQ(Do(),
            "close 0: aggregated_model_validation@0 train@0 "
            "locally_tuned_model_validation@0");
  EXPECT_EQ(Next(), "ask");
}

TEST_F(Story, TheNextRoundDropsWhatTheLastOneLeft) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b')), IsOk());
  EXPECT_EQ(Do(), "keep b");
  EXPECT_EQ(Do(), "fetch b");
  EXPECT_EQ(Do(), "run train@1 on b");
}

TEST_F(Story, LeavesWhenTheFederationIsOver) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  ASSERT_THAT(Assign(Quit()), IsOk());
  EXPECT_EQ(Do(), "keep");
  EXPECT_EQ(Do(), "leave");
}

TEST_F(Story, AFinishedTaskIsSentAfterARestartAndNotRunAgain) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain, kJudgeLocally}, 'a')), IsOk());
  EXPECT_EQ(Do(), "keep a");
  EXPECT_EQ(Do(), "fetch a");
  EXPECT_EQ(Do(), "run train@0 on a");
  Restart();
  EXPECT_EQ(Next(), "ask");
  ASSERT_THAT(Assign(Assignment(0, {kTrain, kJudgeLocally}, 'a')), IsOk());
  EXPECT_EQ(Do(), "keep a train@0");
  EXPECT_EQ(Do(), "send train@0");
  EXPECT_EQ(Do(), "run locally_tuned_model_validation@0 on train@0");
}

TEST_F(Story, ALocalValidationAfterARestartStillFindsWhatWasTrained) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain, kJudgeLocally}, 'a')), IsOk());
  while (Do() != "send train@0") {
  }
  Restart();
  ASSERT_THAT(Assign(Assignment(0, {kJudgeLocally}, 'a')), IsOk());
  EXPECT_EQ(Do(), "keep a train@0");
  EXPECT_EQ(Do(), "run locally_tuned_model_validation@0 on train@0");
}

TEST_F(Story, WhatWasTrainedIsTrainedAgainIfItIsLost) {
  ASSERT_THAT(Assign(Assignment(0, {kJudgeLocally}, 'a')), IsOk());
  EXPECT_EQ(Do(), "keep a");
  EXPECT_EQ(Do(), "fetch a");
  EXPECT_EQ(Do(), "run train@0 on a");
  EXPECT_EQ(Do(), "run locally_tuned_model_validation@0 on train@0");
  EXPECT_EQ(Do(), "send locally_tuned_model_validation@0");
}

TEST_F(Story, ARoundThatMovedOnIsClosedAndForgotten) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain, kJudgeLocally}, 'a')), IsOk());
  while (Next() != "send train@0") Do();
  RoundMovesOn();
  EXPECT_EQ(Next(), "ask");
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b')), IsOk());
  EXPECT_EQ(Do(), "close 0: train@0");
  EXPECT_EQ(Do(), "keep b");
  EXPECT_EQ(Do(), "fetch b");
}

TEST_F(Story, ARoundThatEndedWhileTheSiteWasDownIsClosedFirst) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Do() != "send train@0") {
  }
  Restart();
  ASSERT_THAT(Assign(Quit()), IsOk());
  EXPECT_EQ(Do(), "close 0: train@0");
  EXPECT_EQ(Do(), "keep");
  EXPECT_EQ(Do(), "leave");
}

TEST_F(Story, AClosedRoundIsNotClosedAgainAfterARestart) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  Restart();
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b')), IsOk());
  EXPECT_EQ(Do(), "keep b");
}

TEST_F(Story, AFederationStartedAfreshFindsNothingOfTheOldOne) {
  ASSERT_THAT(Assign(Assignment(3, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  Restart();
  ASSERT_THAT(Assign(Assignment(3, {kTrain}, 'b')), IsOk());
  EXPECT_EQ(Do(), "keep b");
  EXPECT_EQ(Do(), "fetch b");
  EXPECT_EQ(Do(), "run train@3 on b");
}

TEST_F(Story, KeepsAsManyModelsAsThePlanSays) {
  Restart(/*keep_models=*/2);
  for (const auto& [round, model] : {std::pair(0U, 'a'), {1U, 'b'}, {2U, 'c'}}) {
    ASSERT_THAT(Assign(Assignment(round, {kJudge}, model)), IsOk());
    while (Next() != "ask") Do();
  }
  EXPECT_EQ(disk_.models, (std::vector{ModelOf('b'), ModelOf('c')}));
  ASSERT_THAT(Assign(Assignment(3, {kJudge}, 'b')), IsOk());
  EXPECT_EQ(Do(), "keep c b");
  EXPECT_EQ(Do(), "run aggregated_model_validation@3 on b");
}

TEST_F(ContinuingStory, TrainingContinuesFromTheStateOfTheLast) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b')), IsOk());
  EXPECT_EQ(Do(), "keep b train@0");
  EXPECT_EQ(Do(), "fetch b");
  EXPECT_EQ(Do(), "run train@1 on b after train@0");
}

TEST_F(ContinuingStory, TheStateOutlivesRoundsWithoutTrainingAndRestarts) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  ASSERT_THAT(Assign(Assignment(1, {kJudge}, 'b')), IsOk());
  while (Next() != "ask") Do();
  Restart();
  ASSERT_THAT(Assign(Assignment(2, {kTrain}, 'c')), IsOk());
  EXPECT_EQ(Do(), "keep c train@0");
  EXPECT_EQ(Do(), "fetch c");
  EXPECT_EQ(Do(), "run train@2 on c after train@0");
}

TEST_F(ContinuingStory, TheStateOfALaterLifeIsNotUsed) {
  ASSERT_THAT(Assign(Assignment(5, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  EXPECT_EQ(Do(), "keep a");
  EXPECT_EQ(Do(), "run train@0 on a");
}

TEST_F(Story, RefusesWhatNoHonestAggregatorAssigns) {
  EXPECT_THAT(Assign(Assignment(0, {}, 'a')),
              IsError(ErrorCode::kInvalidArgument, "assigned no tasks"));
  EXPECT_THAT(Assign(Assignment(0, {TaskName{"mine_bitcoin"}}, 'a')),
              IsError(ErrorCode::kInvalidArgument, "mine_bitcoin, which the plan does not have"));
  EXPECT_THAT(Assign(Assignment(0, {kTrain, kTrain}, 'a')),
              IsError(ErrorCode::kInvalidArgument, "assigned train twice"));
  TaskAssignment assignment = Assignment(0, {kTrain}, 'a');
  assignment.model.value = "../../../etc/passwd";
  EXPECT_THAT(Assign(assignment),
              IsError(ErrorCode::kInvalidArgument, "sent a model id that is none"));
  EXPECT_EQ(Next(), "ask");
}

}  // namespace
}  // namespace fx::collaborator
