// What an administrator asks of an aggregator with collaborators behind real gRPC.
#include "fx/aggregator/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "aggregator/standing.h"
#include "tests/integration/federation.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using aggregator::Attendee;
using aggregator::Outcome;
using testing::ElementsAre;
using testing::Optional;

// Asks until the answer is as wanted; false after a while.
template <typename Asked>
bool Until(Asked asked) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    if (asked()) return true;
    std::this_thread::yield();
  }
  return false;
}

class Administration : public testing::Test {
 protected:
  explicit Administration(std::vector<std::string> members = {"ann", "bob"})
      : federation_(std::move(members)) {
    Must(AtomicWrite(cols_, "collaborators: [ann, bob]\n"));
  }

  std::unique_ptr<Link> Join(const std::string& name) {
    return collaborator::MakeGrpcLink(federation_.LinkOptions(name, aggregator_.port()),
                                      federation_.pki.CollaboratorBundle(name));
  }
  // Does what there is to do for `link` in the open round.
  void DoRound(Link& link, const std::string& name) {
    const TempDir folder;
    const TaskAssignment assignment = Must(link.GetTasks()).value();
    const Path model = folder.path() / "model";
    Must(link.Download(assignment.model, assignment.model_size, model));
    for (const TaskName& task : assignment.tasks) {
      Must(link.Send(InventResult({name}, assignment, task, model, folder.path() / "update")));
    }
  }
  std::optional<bool> IsPresent(const std::string& name) const {
    const std::vector<Attendee> all = Must(AskWhoIsThere(folder_)).value();
    for (const Attendee& one : all) {
      if (one.who.value == name) return one.present;
    }
    return std::nullopt;
  }
  aggregator::State Now() const {
    return Must(aggregator::ReadStanding(federation_.workspace.path(), federation_.plan))->state;
  }

  TestFederation federation_;
  const Path cols_ = federation_.workspace.path() / "cols.yaml";
  RunningAggregator aggregator_{federation_.Options()};
  const Path folder_ = aggregator_.runtime().state_folder();
  Watch watch_{federation_.plan,
               {.cols = cols_, .cert_folder = federation_.pki.cert_folder()},
               std::nullopt,
               aggregator_.runtime()};
  LastWord last_word_;
  std::unique_ptr<AdminSocket> socket_ =
      AnswerAdministrators(aggregator_.runtime(), watch_, last_word_);
};

// A site that has its tasks and works on them makes no call.
TEST_F(Administration, ASiteIsPresentWhileItTrains) {
  EXPECT_EQ(IsPresent("ann"), std::nullopt);
  std::unique_ptr<Link> ann = Join("ann");
  Must(ann->GetTasks());
  EXPECT_TRUE(Until([&] { return IsPresent("ann") == true; }));
  EXPECT_EQ(IsPresent("bob"), std::nullopt);
  ann.reset();
  EXPECT_TRUE(Until([&] { return IsPresent("ann") == false; }));
}

TEST_F(Administration, ARoundIsClosedWithWhoIsDone) {
  const std::unique_ptr<Link> ann = Join("ann");
  EXPECT_THAT(AskForCutOff(folder_), IsError(ErrorCode::kAborted, "0 of the 2 collaborators"));
  DoRound(*ann, "ann");
  EXPECT_THAT(AskForCutOff(folder_), IsOk());
  const TaskAssignment next = Must(ann->GetTasks()).value();
  EXPECT_EQ(next.round, Round{1});
  EXPECT_EQ(Must(Join("bob")->GetTasks())->round, Round{1});
}

TEST_F(Administration, TheListIsReadAtOnce) {
  Must(AtomicWrite(cols_, "collaborators: [bob]\n"));
  EXPECT_THAT(AskForMembers(folder_), IsOkAndHolds(Optional(ElementsAre(CollaboratorName{"bob"}))));
  EXPECT_THAT(Join("ann")->GetTasks(), IsError(ErrorCode::kPermissionDenied, "not in plan/cols"));
  EXPECT_FALSE(Now().assignments.contains({"ann"}));
}

// Both end with the connection: the one that waits for tasks, and the one that says it is there.
TEST_F(Administration, CallsOfASiteThatIsRemovedEnd) {
  const std::unique_ptr<Link> ann = Join("ann");
  DoRound(*ann, "ann");
  EXPECT_TRUE(Until([&] { return IsPresent("ann") == true; }));
  Must(AtomicWrite(cols_, "collaborators: [bob]\n"));
  Must(AskForMembers(folder_));
  EXPECT_THAT(ann->GetTasks(), IsError(ErrorCode::kPermissionDenied, "not in plan/cols.yaml"));
  EXPECT_TRUE(Until([&] { return IsPresent("ann") == false; }));
}

TEST_F(Administration, AQuestionNobodyKnowsIsRefused) {
  EXPECT_THAT(AskAdmin(folder_, "dance"), IsError(ErrorCode::kUnimplemented, "does not know"));
}

TEST_F(Administration, WithoutAnAggregatorThereIsNobodyToAsk) {
  socket_.reset();
  EXPECT_THAT(AskForMembers(folder_), IsOkAndHolds(std::nullopt));
  EXPECT_FALSE(Must(AskWhoIsThere(folder_)).has_value());
  EXPECT_THAT(AskForStop(folder_), IsError(ErrorCode::kUnavailable, "no aggregator is running"));
}

TEST_F(Administration, AnAggregatorThatHasEndedAnswersSo) {
  aggregator_.runtime().RequestStop();
  EXPECT_THAT(aggregator_.Wait(), IsOkAndHolds(Outcome::kStopped));
  EXPECT_THAT(AskForCutOff(folder_), IsError(ErrorCode::kUnavailable, "stopping"));
}

// A connection through something that forgets, or loses, what is silent.
class KeepAlive : public testing::Test {
 protected:
  static constexpr Heartbeat kQuick = {.every_ms = 200, .timeout_ms = 200};

  KeepAlive() {
    auto options = federation_.Options();
    options.heartbeat = kQuick;
    aggregator_.emplace(std::move(options));
    proxy_.emplace(aggregator_->port());
    auto ann = federation_.LinkOptions("ann", proxy_->port());
    ann.times.heartbeat = kQuick;
    link_ = collaborator::MakeGrpcLink(std::move(ann), federation_.pki.CollaboratorBundle("ann"));
    Must(link_->GetTasks());
    EXPECT_TRUE(Until([&] { return IsPresent(); }));
  }
  bool IsPresent() {
    const std::vector<Attendee> all = aggregator_->runtime().Present();
    return !all.empty() && all[0].present;
  }

  const TestFederation federation_;
  std::optional<RunningAggregator> aggregator_;
  std::optional<FaultProxy> proxy_;
  std::unique_ptr<Link> link_;
};

TEST_F(KeepAlive, BothEndsSpeakWhileASiteTrains) {
  constexpr std::uint64_t kSomePings = 400;  // bytes; a ping and its answer have some 40 each
  const std::uint64_t up = proxy_->forwarded(Direction::kUp) + kSomePings;
  const std::uint64_t down = proxy_->forwarded(Direction::kDown) + kSomePings;
  EXPECT_TRUE(Until([&] {
    return proxy_->forwarded(Direction::kUp) > up && proxy_->forwarded(Direction::kDown) > down;
  }));
  EXPECT_EQ(proxy_->connections(), 1U);
  EXPECT_TRUE(IsPresent());
}

TEST_F(KeepAlive, ASiteThatFallsSilentIsGoneAndComesBack) {
  proxy_->Play({MuteAfter(Direction::kUp, 0)});
  EXPECT_TRUE(Until([&] { return !IsPresent(); }));
  EXPECT_TRUE(Until([&] { return IsPresent(); }));  // by another connection, without a call
  EXPECT_EQ(proxy_->connections(), 2U);
}

// Whoever stops it otherwise: the round is not aggregated, and who asked for that is told.
TEST_F(Administration, AStopThatASignalForestallsIsNoneAfterTheRound) {
  const AwaitedEnd end = Must(AskForStopAndWait(folder_));
  aggregator_.runtime().RequestStop();
  EXPECT_THAT(aggregator_.Wait(), IsOkAndHolds(Outcome::kStopped));
  SayHowItEnded(last_word_, Outcome::kStopped);
  EXPECT_THAT(ComesToItsEnd(end, {}), IsError(ErrorCode::kAborted, "a signal stopped"));
}

class AdministrationOfOne : public Administration {
 protected:
  AdministrationOfOne() : Administration({"ann"}) {}
};

TEST_F(AdministrationOfOne, AStopIsAfterTheRoundAndTheNextStartGoesOn) {
  std::unique_ptr<Link> ann = Join("ann");
  const AwaitedEnd end = Must(AskForStopAndWait(folder_));
  EXPECT_EQ(Now().phase, aggregator::Phase::kCollecting);
  DoRound(*ann, "ann");
  EXPECT_THAT(aggregator_.Wait(), IsOkAndHolds(Outcome::kPaused));
  SayHowItEnded(last_word_, Outcome::kPaused);
  EXPECT_THAT(ComesToItsEnd(end, {}), IsOk());
  EXPECT_EQ(Now().phase, aggregator::Phase::kIdle);
  EXPECT_TRUE(Exists(federation_.LastModel()));
}

}  // namespace
}  // namespace fx::test
