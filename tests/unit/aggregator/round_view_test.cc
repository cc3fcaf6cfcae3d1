#include "aggregator/server/round_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/random.h"

namespace fx::aggregator {
namespace {

using ::testing::IsEmpty;

const CollaboratorName kAnn = {"ann"}, kBob = {"bob"};

RoundOpened Opened(std::uint32_t round) {
  return {.round = Round{round},
          .model = {"m"},
          .assignments = {{kAnn, {{"judge"}, {"train"}}}, {kBob, {{"judge"}}}}};
}

ResultAccepted Accepted(const CollaboratorName& who, const char* task, std::string update = "") {
  return {
      .who = who, .task = {task}, .update = {std::move(update)}, .num_samples = 1, .metrics = {}};
}

// A board that follows records, and one that is made anew from the state after each of them.
class RoundBoardTest : public testing::Test {
 protected:
  void Happen(const std::vector<Record>& records) {
    for (const Record& record : records) Apply(record, state_);
    board_.Publish(records, state_);
    RoundBoard fresh;
    fresh.Publish(state_);
    for (const CollaboratorName& who : {kAnn, kBob, CollaboratorName{"eve"}}) {
      const RoundView is = board_.ViewFor(who), should = fresh.ViewFor(who);
      EXPECT_EQ(is.round, should.round);
      EXPECT_EQ(is.collecting, should.collecting);
      EXPECT_EQ(is.tasks, should.tasks);
    }
  }

  State state_;
  RoundBoard board_;
};

TEST_F(RoundBoardTest, FollowsARoundFromItsOpeningToTheNext) {
  Happen({Opened(0)});
  EXPECT_EQ(board_.ViewFor(kAnn).tasks.size(), 2U);
  EXPECT_THAT(board_.ViewFor({"eve"}).tasks, IsEmpty());
  Happen({Accepted(kAnn, "judge"), Accepted(kAnn, "train", "u1")});
  EXPECT_EQ(board_.ViewFor(kAnn).tasks.at({"train"}), UpdateId{"u1"});
  Happen({Accepted(kBob, "judge"), RoundClosed{.stragglers = {}, .metrics = {}}});
  EXPECT_FALSE(board_.ViewFor(kBob).collecting);
  Happen({ModelCommitted{{"m1"}}, Opened(1)});
  EXPECT_EQ(board_.ViewFor(kAnn).tasks.at({"train"}), std::nullopt);
}

TEST_F(RoundBoardTest, TakesALostResultBack) {
  Happen({Opened(0), Accepted(kAnn, "train", "u1")});
  Happen({ResultsLost{{{.who = kAnn, .task = {"train"}}}}});
  EXPECT_EQ(board_.ViewFor(kAnn).tasks.at({"train"}), std::nullopt);
}

TEST_F(RoundBoardTest, IsRightWhenAWholeRoundComesAtOnce) {
  Happen({Opened(0), Accepted(kAnn, "judge"), Accepted(kAnn, "train", "u1"),
          Accepted(kBob, "judge"), RoundClosed{.stragglers = {}, .metrics = {}},
          ModelCommitted{{"m1"}}, Opened(1), Accepted(kBob, "judge")});
  EXPECT_EQ(board_.ViewFor(kBob).tasks.at({"judge"}), UpdateId{});
}

}  // namespace
}  // namespace fx::aggregator
