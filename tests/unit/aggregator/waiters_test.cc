#include "aggregator/server/waiters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "aggregator/server/upload_slots.h"
#include "tests/support/matchers.h"

namespace fx::aggregator {
namespace {

using test::IsError;
using test::IsOk;
using testing::ElementsAre;
using testing::Pair;

class WaitersTest : public testing::Test {
 protected:
  // Asks for tasks as `who`; answers land in answers_ under that name.
  RequestId Ask(const std::string& who) {
    const RequestId request = waiters_.NewRequest();
    EXPECT_THAT(waiters_.AddTasks(request, {.who = {who}, .answer = Note(who)}), IsOk());
    return request;
  }
  std::function<void(const Reply&)> Note(const std::string& who) {
    return [this, who](const Reply& reply) {
      const auto* error = std::get_if<Error>(&reply);
      answers_.push_back(who + (error != nullptr ? ": " + error->message() : ": answered"));
    };
  }

  Waiters waiters_;
  std::vector<std::string> answers_;
};

TEST_F(WaitersTest, AreTakenOnce) {
  const RequestId request = Ask("ann");
  const auto waiter = waiters_.Take(request);
  ASSERT_TRUE(waiter);
  waiter->answer(QuitReply{});
  EXPECT_FALSE(waiters_.Take(request));
  EXPECT_THAT(answers_, ElementsAre("ann: answered"));
}

TEST_F(WaitersTest, AreWokenOnlyIfTheyWereParked) {
  const RequestId ann = Ask("ann");
  Ask("bob");
  waiters_.Park(ann);
  EXPECT_THAT(waiters_.Unpark(), ElementsAre(Pair(CollaboratorName{"ann"}, ann)));
  EXPECT_TRUE(waiters_.Unpark().empty());
}

TEST_F(WaitersTest, MakeRoomForANewerCallOfTheSameName) {
  Ask("ann");
  const RequestId newer = Ask("ann");
  EXPECT_THAT(answers_, ElementsAre("ann: another call for tasks came in under the name ann"));
  EXPECT_TRUE(waiters_.Take(newer));
}

TEST_F(WaitersTest, SayThatTheyAreThereInOneCallAName) {
  const auto stay = [this](const std::string& who, const std::string& note) {
    const RequestId request = waiters_.NewRequest();
    EXPECT_THAT(waiters_.AddStay(request, {.who = {who}, .answer = Note(note)}), IsOk());
    return request;
  };
  const RequestId tasks = Ask("ann");
  const RequestId bob = stay("bob", "bob");
  stay("ann", "the older");
  const RequestId newer = stay("ann", "the newer");
  EXPECT_THAT(answers_, ElementsAre("the older: another sign of life came in under the name ann"));
  EXPECT_TRUE(waiters_.Take(newer));
  EXPECT_TRUE(waiters_.Take(bob));
  EXPECT_TRUE(waiters_.Take(tasks));  // is another matter
}

TEST_F(WaitersTest, AreDismissedOnceTheyAreNotWelcome) {
  bool welcome = true;
  const RequestId ann = waiters_.NewRequest();
  EXPECT_THAT(waiters_.AddTasks(ann, {.who = {"ann"},
                                      .answer = Note("ann"),
                                      .still_welcome = [&]() -> Status {
                                        if (welcome) return Ok();
                                        return Fail(ErrorCode::kUnauthenticated, "revoked");
                                      }}),
              IsOk());
  const RequestId bob = Ask("bob");
  waiters_.Dismiss();
  EXPECT_TRUE(answers_.empty());
  welcome = false;
  waiters_.Dismiss();
  EXPECT_THAT(answers_, ElementsAre("ann: revoked"));
  EXPECT_FALSE(waiters_.Take(ann));
  EXPECT_TRUE(waiters_.Take(bob));
}

TEST_F(WaitersTest, AreAllAnsweredWhenTheAggregatorStops) {
  Ask("ann");
  Ask("bob");
  waiters_.Close(Error(ErrorCode::kUnavailable, "stopping"));
  EXPECT_THAT(answers_, ElementsAre("ann: stopping", "bob: stopping"));
  EXPECT_THAT(waiters_.AddUpload(waiters_.NewRequest(), {.who = {"ann"}, .answer = Note("ann")}),
              IsError(ErrorCode::kUnavailable, "stopping"));
}

// Two slots. `story_` tells what became of the uploads, each a letter for the collaborator and the
// number of the request.
class UploadSlotsTest : public testing::Test {
 protected:
  void Enter(char who, std::uint64_t request) {
    const std::string name = who + std::to_string(request);
    slots_.Enter({.who = {std::string(1, who)},
                  .request = RequestId{request},
                  .begin = [this, name] { story_.push_back(name + " begins"); },
                  .displace = [this, name] { story_.push_back(name + " is displaced"); }});
  }
  void Leave(char who, std::uint64_t request) {
    slots_.Leave({std::string(1, who)}, RequestId{request});
  }
  std::vector<std::string> Story() { return std::exchange(story_, {}); }

  std::int64_t now_ = 0;
  UploadSlots slots_{2, [this] { return now_; }};
  std::vector<std::string> story_;
};

TEST_F(UploadSlotsTest, ServeThoseWhoWaitInTheirOrder) {
  Enter('a', 1);
  Enter('b', 2);
  Enter('c', 3);
  Enter('d', 4);
  EXPECT_THAT(Story(), ElementsAre("a1 begins", "b2 begins"));
  Leave('b', 2);
  EXPECT_THAT(Story(), ElementsAre("c3 begins"));
  Leave('b', 2);  // again: it has no place to give up
  EXPECT_THAT(Story(), ElementsAre());
  Leave('a', 1);
  EXPECT_THAT(Story(), ElementsAre("d4 begins"));
}

TEST_F(UploadSlotsTest, LetANewerUploadOfACollaboratorBeginOnceTheOlderHasLeft) {
  Enter('a', 1);
  Enter('a', 2);
  EXPECT_THAT(Story(), ElementsAre("a1 begins", "a1 is displaced"));
  Enter('b', 3);  // need not wait for a
  EXPECT_THAT(Story(), ElementsAre("b3 begins"));
  Leave('a', 1);
  EXPECT_THAT(Story(), ElementsAre("a2 begins"));
}

TEST_F(UploadSlotsTest, DisplaceTheOlderOfTwoThatWait) {
  Enter('a', 1);
  Enter('b', 2);
  Enter('c', 3);
  Enter('c', 4);
  EXPECT_THAT(Story(), ElementsAre("a1 begins", "b2 begins", "c3 is displaced"));
  EXPECT_TRUE(slots_.Withdraw(RequestId{3}));
  Leave('a', 1);
  EXPECT_THAT(Story(), ElementsAre("c4 begins"));
}

TEST_F(UploadSlotsTest, ForgetAnUploadThatWithdrew) {
  Enter('a', 1);
  Enter('b', 2);
  Enter('c', 3);
  EXPECT_TRUE(slots_.Withdraw(RequestId{3}));
  EXPECT_FALSE(slots_.Withdraw(RequestId{3}));
  EXPECT_FALSE(slots_.Withdraw(RequestId{2}));  // it has begun
  Leave('a', 1);
  EXPECT_THAT(Story(), ElementsAre("a1 begins", "b2 begins"));
}

TEST_F(UploadSlotsTest, DisplaceTheSilentWhileOthersWait) {
  Enter('a', 1);
  Enter('b', 2);
  now_ = UploadSlots::kSilentMs - 1;
  slots_.Touch({"a"}, RequestId{1});
  Enter('c', 3);
  EXPECT_THAT(Story(), ElementsAre("a1 begins", "b2 begins"));
  now_ = UploadSlots::kSilentMs;
  slots_.Touch({"a"}, RequestId{1});
  slots_.Touch({"a"}, RequestId{1});
  EXPECT_THAT(Story(), ElementsAre("b2 is displaced"));
  Leave('b', 2);
  EXPECT_THAT(Story(), ElementsAre("c3 begins"));
}

TEST_F(UploadSlotsTest, LeaveTheSilentAloneWhileThereIsRoom) {
  Enter('a', 1);
  now_ = UploadSlots::kSilentMs;
  Enter('b', 2);
  slots_.Touch({"b"}, RequestId{2});
  EXPECT_THAT(Story(), ElementsAre("a1 begins", "b2 begins"));
}

}  // namespace
}  // namespace fx::aggregator
