#include "collaborator/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tests/support/matchers.h"
#include "tests/unit/collaborator/session_story.h"

namespace fx::collaborator {
namespace {

using fx::test::IsError;
using fx::test::IsOk;
using test::Assignment;
using test::ContinuingStory;
using test::kJudge;
using test::kJudgeLocally;
using test::kTrain;
using test::ModelOf;
using test::PlanTasks;
using test::Quit;
using test::Story;

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
