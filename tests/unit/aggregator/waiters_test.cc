#include "aggregator/server/waiters.h"

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

TEST_F(WaitersTest, AreAllAnsweredWhenTheAggregatorStops) {
  Ask("ann");
  Ask("bob");
  waiters_.Close(Error(ErrorCode::kUnavailable, "stopping"));
  EXPECT_THAT(answers_, ElementsAre("ann: stopping", "bob: stopping"));
  EXPECT_THAT(waiters_.AddUpload(waiters_.NewRequest(), {.who = {"ann"}, .answer = Note("ann")}),
              IsError(ErrorCode::kUnavailable, "stopping"));
}

class UploadSlotsTest : public testing::Test {
 protected:
  Status Enter(const std::string& who, std::uint64_t request) {
    return slots_.Enter({who}, RequestId{request}, [this, who, request] {
      displaced_.push_back(who + std::to_string(request));
    });
  }

  std::int64_t now_ = 0;
  UploadSlots slots_{2, [this] { return now_; }};
  std::vector<std::string> displaced_;
};

TEST_F(UploadSlotsTest, RefuseOneTooMany) {
  EXPECT_THAT(Enter("ann", 1), IsOk());
  EXPECT_THAT(Enter("bob", 2), IsOk());
  EXPECT_THAT(Enter("cid", 3), IsError(ErrorCode::kResourceExhausted, "2 updates already"));
  slots_.Leave({"ann"}, RequestId{1});
  EXPECT_THAT(Enter("cid", 3), IsOk());
}

TEST_F(UploadSlotsTest, GiveANewerUploadThePlaceOfTheOlder) {
  EXPECT_THAT(Enter("ann", 1), IsOk());
  EXPECT_THAT(Enter("ann", 2), IsOk());
  EXPECT_THAT(displaced_, ElementsAre("ann1"));
  slots_.Leave({"ann"}, RequestId{1});  // the displaced one, late: not its place any more
  EXPECT_THAT(Enter("bob", 3), IsOk());
  EXPECT_THAT(Enter("cid", 4), IsError(ErrorCode::kResourceExhausted, "already"));
}

TEST_F(UploadSlotsTest, DisplaceTheOneThatHasBeenSilentTooLong) {
  EXPECT_THAT(Enter("ann", 1), IsOk());
  EXPECT_THAT(Enter("bob", 2), IsOk());
  now_ = UploadSlots::kSilentMs - 1;
  slots_.Touch({"ann"}, RequestId{1});
  EXPECT_THAT(Enter("cid", 3), IsError(ErrorCode::kResourceExhausted, "already"));
  now_ = UploadSlots::kSilentMs;
  EXPECT_THAT(Enter("cid", 3), IsOk());
  EXPECT_THAT(displaced_, ElementsAre("bob2"));
}

}  // namespace
}  // namespace fx::aggregator
