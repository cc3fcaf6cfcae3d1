// With control variates: training continues from the state that goes with the update of this site
// that is in the model.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "tests/support/matchers.h"
#include "tests/unit/collaborator/session_story.h"

namespace fx::collaborator {
namespace {

using fx::test::IsOk;
using test::Assignment;
using test::kJudge;
using test::kJudgeLocally;
using test::kTrain;
using test::Story;

class FollowingStory : public Story {
 protected:
  FollowingStory() : Story(/*keeps_optimizer=*/true, /*follows_the_model=*/true) {}

  using Story::Assign;
  // `counted`: the round whose update the model has.
  Status Assign(TaskAssignment assignment, std::uint32_t counted) {
    assignment.counted.value = "trained@" + std::to_string(counted);
    return Story::Assign(assignment);
  }
};

TEST_F(FollowingStory, TrainingContinuesFromTheStateOfTheUpdateThatTheModelHas) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b'), 0), IsOk());
  EXPECT_EQ(Do(), "keep b train@0");
  EXPECT_EQ(Do(), "fetch b");
  EXPECT_EQ(Do(), "run train@1 on b after train@0");
}

TEST_F(FollowingStory, AResultThatIsNotInTheModelIsPassedOver) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  ASSERT_THAT(Assign(Assignment(1, {kTrain, kJudgeLocally}, 'b'), 0), IsOk());
  while (Do() != "send train@1") {
  }
  RoundMovesOn();
  ASSERT_THAT(Assign(Assignment(2, {kTrain}, 'c'), 0), IsOk());
  EXPECT_EQ(Do(), "close 1: train@1");
  EXPECT_EQ(Do(), "keep c train@0");
  EXPECT_EQ(Do(), "fetch c");
  EXPECT_EQ(Do(), "run train@2 on c after train@0");
}

TEST_F(FollowingStory, AResultOfWhichNobodyKnewWhetherItArrivedCountsIfTheModelHasIt) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Do() != "run train@0 on a") {
  }
  Restart();
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b'), 0), IsOk());
  EXPECT_EQ(Do(), "close 0: train@0");
  EXPECT_EQ(Do(), "keep b train@0");
  EXPECT_EQ(Do(), "fetch b");
  EXPECT_EQ(Do(), "run train@1 on b after train@0");
}

TEST_F(FollowingStory, AResultOfWhichNobodyKnewWhetherItArrivedIsForgottenIfTheModelHasItNot) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Do() != "run train@0 on a") {
  }
  Restart();
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b')), IsOk());
  EXPECT_EQ(Do(), "close 0: train@0");
  EXPECT_EQ(Do(), "keep b");
  EXPECT_EQ(Do(), "fetch b");
  EXPECT_EQ(Do(), "run train@1 on b");
}

TEST_F(FollowingStory, ARoundThatIsTakenUpAgainKeepsBothItsResultAndTheStateBefore) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b'), 0), IsOk());
  while (Do() != "run train@1 on b after train@0") {
  }
  Restart();
  ASSERT_THAT(Assign(Assignment(1, {kTrain}, 'b'), 0), IsOk());
  EXPECT_EQ(Do(), "keep b train@0 train@1");
  EXPECT_EQ(Do(), "send train@1");
}

TEST_F(FollowingStory, AStateThatMustBeThereAndIsNotIsSaidToBeLost) {
  ASSERT_THAT(Assign(Assignment(0, {kTrain}, 'a')), IsOk());
  while (Next() != "ask") Do();
  disk_.finished.clear();
  Restart();
  ASSERT_THAT(Assign(Assignment(1, {kJudge, kTrain}, 'b'), 0), IsOk());
  EXPECT_EQ(Do(), "keep b");
  EXPECT_EQ(Do(), "fetch b");
  EXPECT_EQ(Do(), "run aggregated_model_validation@1 on b");
  EXPECT_EQ(Do(), "send aggregated_model_validation@1");
  EXPECT_EQ(Do(), "run train@1 on b but the state is lost");
}

}  // namespace
}  // namespace fx::collaborator
