#include "collaborator/task_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/support/matchers.h"
#include "tests/unit/collaborator/fake_federation.h"

namespace fx::collaborator {
namespace {

using test::FakeAggregator;
using test::FakeLink;
using test::FakeRunner;
using test::IsError;
using test::IsOk;
using test::Trouble;
using testing::HasSubstr;

constexpr std::uint32_t kRounds = 3;

// Thousands of files are made durable here, and what a disk does with them is not the matter.
class OnRamDisk : public testing::Environment {
  void SetUp() override {
    if (Exists("/dev/shm")) setenv("TMPDIR", "/dev/shm", /*overwrite=*/1);
  }
};
const auto* const kOnRamDisk = testing::AddGlobalTestEnvironment(new OnRamDisk);

std::map<TaskName, TaskSpec> PlanTasks() {
  std::map<TaskName, TaskSpec> tasks;
  const auto add = [&](const std::string& name, TaskFunction function, ApplyTo apply) {
    tasks[{name}] = TaskSpec{
        .name = {name}, .function = function, .apply = apply, .metrics = {}, .batch_size = {}};
  };
  add("judge", TaskFunction::kValidate, ApplyTo::kGlobal);
  add("train", TaskFunction::kTrain, ApplyTo::kGlobal);
  add("judge_locally", TaskFunction::kValidate, ApplyTo::kLocal);
  return tasks;
}

// An aggregator, and a site whose disk outlives its processes.
class Federation {
 public:
  explicit Federation(OptTreatment treatment = OptTreatment::kReset, bool has_sums = false)
      : treatment_(treatment),
        has_sums_(has_sums),
        aggregator_(disk_.path(), kRounds, {{"judge"}, {"train"}, {"judge_locally"}}) {}

  // One process, from its start to its end.
  Status Run(const Trouble& network, const Trouble& tasks, std::stop_token stop = {}) {
    FakeLink link(aggregator_, network);
    return RunOver(link, tasks, std::move(stop));
  }
  Status RunOver(Link& link, const Trouble& tasks, std::stop_token stop = {}) {
    LocalStore store = TRY(LocalStore::Open(disk_.path() / "state"));
    FakeRunner runner(tasks, &trainings_);
    TaskLoopOptions options{.name = {"site1"},
                            .tasks = PlanTasks(),
                            .settings = {.opt_treatment = treatment_},
                            .has_sums = has_sums_,
                            .metrics_file = metrics_file(),
                            .stop = std::move(stop),
                            .clock = [] { return 0.0; }};
    return TaskLoop(std::move(options), std::move(store), link, runner).Run();
  }

  void LoseDisk() { ASSERT_TRUE(std::filesystem::remove_all(disk_.path() / "state") > 0); }

  FakeAggregator& aggregator() { return aggregator_; }
  int trainings() const { return trainings_; }
  Path metrics_file() const { return disk_.path() / "logs" / "site1_metrics.txt"; }
  std::string metrics() const { return ReadFile(metrics_file()).value(); }
  std::size_t FilesLeft() const {
    return ListFolder(disk_.path() / "state" / "models")->size() +
           ListFolder(disk_.path() / "state" / "results")->size();
  }

 private:
  TempDir disk_;
  OptTreatment treatment_;
  bool has_sums_;
  FakeAggregator aggregator_;
  int trainings_ = 0;
};

std::optional<Error> NoTrouble() {
  return std::nullopt;
}

// Fails once, at the n-th chance.
Trouble FailAt(int n, Error error) {
  auto left = std::make_shared<int>(n);
  return [left, error = std::move(error)]() -> std::optional<Error> {
    if ((*left)-- == 0) return error;
    return std::nullopt;
  };
}

class TaskLoopTest : public testing::TestWithParam<OptTreatment> {};

TEST_P(TaskLoopTest, SendsEveryTaskOfEveryRoundInOrder) {
  Federation federation(GetParam());
  ASSERT_THAT(federation.Run(NoTrouble, NoTrouble), IsOk());
  const auto& accepted = federation.aggregator().accepted();
  ASSERT_EQ(accepted.size(), 3 * kRounds);
  EXPECT_THAT(accepted[0], HasSubstr("0 judge 10 -0.5"));
  EXPECT_THAT(accepted[1], HasSubstr("0 train 100 1.0"));
  // 0.9 * -0.5 + 3: the parameters that were trained, not those that came.
  EXPECT_THAT(accepted[2], HasSubstr("0 judge_locally 10 2.55"));
  EXPECT_THAT(accepted[3], HasSubstr("1 judge 10 2.55"));
  EXPECT_EQ(federation.trainings(), static_cast<int>(kRounds));
  EXPECT_EQ(federation.FilesLeft(), 0U);
}

TEST_P(TaskLoopTest, ACrashAtAnyMomentChangesNothingThatIsSentOrLogged) {
  Federation undisturbed(GetParam());
  ASSERT_THAT(undisturbed.Run(NoTrouble, NoTrouble), IsOk());

  int moment = 0;
  for (;; ++moment) {
    Federation federation(GetParam());
    const Trouble crash = FailAt(moment, Error(ErrorCode::kCancelled, "crash"));
    const Status first = federation.Run(crash, crash);
    if (first) break;  // past the last moment
    ASSERT_THAT(federation.Run(NoTrouble, NoTrouble), IsOk()) << moment;
    EXPECT_EQ(federation.aggregator().accepted(), undisturbed.aggregator().accepted()) << moment;
    EXPECT_EQ(federation.metrics(), undisturbed.metrics()) << moment;
    EXPECT_LE(federation.trainings(), undisturbed.trainings() + 1) << moment;
  }
  EXPECT_GT(moment, 40);
}

TEST_P(TaskLoopTest, CrashAfterCrashChangesNothingThatIsSentOrLogged) {
  Federation undisturbed(GetParam());
  ASSERT_THAT(undisturbed.Run(NoTrouble, NoTrouble), IsOk());
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Federation federation(GetParam());
    RandomStream random(seed, "crashes");
    int lives = 1;
    const auto live = [&] {
      const int moment = static_cast<int>(random.Below(9));
      const Trouble crash = FailAt(moment, Error(ErrorCode::kCancelled, "crash"));
      return federation.Run(crash, crash);
    };
    while (!live()) ASSERT_LT(++lives, 200) << seed;
    EXPECT_EQ(federation.aggregator().accepted(), undisturbed.aggregator().accepted()) << seed;
    EXPECT_EQ(federation.metrics(), undisturbed.metrics()) << seed;
  }
}

// Whenever the network fails, what was trained so far is on disk.
TEST_P(TaskLoopTest, AFinishedResultIsNotTrainedAgain) {
  int moment = 0;
  for (;; ++moment) {
    Federation federation(GetParam());
    const Trouble crash = FailAt(moment, Error(ErrorCode::kCancelled, "crash"));
    const bool past_the_last = federation.Run(crash, NoTrouble).has_value();
    if (past_the_last) break;
    ASSERT_THAT(federation.Run(NoTrouble, NoTrouble), IsOk()) << moment;
    EXPECT_EQ(federation.trainings(), static_cast<int>(kRounds)) << moment;
  }
  EXPECT_GT(moment, 30);
}

TEST_P(TaskLoopTest, AnUnreliableNetworkChangesNothing) {
  Federation undisturbed(GetParam());
  ASSERT_THAT(undisturbed.Run(NoTrouble, NoTrouble), IsOk());
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    Federation federation(GetParam());
    RandomStream random(seed, "network");
    const Trouble network = [&]() -> std::optional<Error> {
      switch (random.Below(6)) {
        case 0:
          return Error(ErrorCode::kUnavailable, "the cable is out");
        case 1:
          return Error(ErrorCode::kDeadlineExceeded, "too slow");
        default:
          return std::nullopt;
      }
    };
    ASSERT_THAT(federation.Run(network, NoTrouble), IsOk()) << seed;
    EXPECT_EQ(federation.aggregator().accepted(), undisturbed.aggregator().accepted()) << seed;
    EXPECT_EQ(federation.metrics(), undisturbed.metrics()) << seed;
    EXPECT_EQ(federation.trainings(), static_cast<int>(kRounds)) << seed;
  }
}

// Other sites may be enough for a round at any moment; this one then goes on with the next.
TEST_P(TaskLoopTest, RoundsThatMoveOnWithoutThisSiteAreLeftBehind) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Federation federation(GetParam());
    RandomStream random(seed, "others");
    const Trouble others = [&]() -> std::optional<Error> {
      FakeAggregator& aggregator = federation.aggregator();
      if (random.Below(8) == 0 && aggregator.round() < kRounds) aggregator.CloseRound();
      return std::nullopt;
    };
    ASSERT_THAT(federation.Run(others, others), IsOk()) << seed;
    EXPECT_EQ(federation.aggregator().round(), kRounds);
    EXPECT_EQ(federation.FilesLeft(), 0U) << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Optimizer, TaskLoopTest,
                         testing::Values(OptTreatment::kReset, OptTreatment::kContinueLocal),
                         [](const auto& tested) {
                           return tested.param == OptTreatment::kReset ? "Reset" : "ContinueLocal";
                         });

TEST(TaskLoop, AContinuedOptimizerTrainsDifferentlyFromAFreshOne) {
  Federation fresh(OptTreatment::kReset), continued(OptTreatment::kContinueLocal);
  ASSERT_THAT(fresh.Run(NoTrouble, NoTrouble), IsOk());
  ASSERT_THAT(continued.Run(NoTrouble, NoTrouble), IsOk());
  EXPECT_THAT(fresh.aggregator().accepted().at(4), HasSubstr("1 train 100 1.0"));
  EXPECT_THAT(continued.aggregator().accepted().at(4), HasSubstr("1 train 100 1.5"));
}

// The fake's loss is half the one of the state it starts from, plus 1.
class FollowingTaskLoop : public testing::Test {
 protected:
  std::string Accepted(std::size_t index) const {
    return federation_.aggregator().accepted().at(index);
  }
  mutable Federation federation_{OptTreatment::kReset, /*has_sums=*/true};
};

// The second round closes between its training and the task after it.
TEST_F(FollowingTaskLoop, AResultThatWasAcceptedButIsNotInTheModelDoesNotMoveTheState) {
  int trained = 0;
  const Trouble others = [&]() -> std::optional<Error> {
    FakeAggregator& aggregator = federation_.aggregator();
    if (aggregator.accepted().size() == 5 && trained++ == 0) aggregator.CloseRound();
    return std::nullopt;
  };
  ASSERT_THAT(federation_.Run(others, NoTrouble), IsOk());
  EXPECT_THAT(Accepted(4), HasSubstr("1 train 100 1.5"));
  EXPECT_THAT(Accepted(6), HasSubstr("2 train 100 1.5"));
}

TEST_F(FollowingTaskLoop, EndingAnywhereChangesNothing) {
  Federation undisturbed(OptTreatment::kReset, /*has_sums=*/true);
  ASSERT_THAT(undisturbed.Run(NoTrouble, NoTrouble), IsOk());
  const Error gone(ErrorCode::kInternal, "gone");
  int ended = 0;
  for (int n = 0;; ++n, ++ended) {
    Federation federation(OptTreatment::kReset, /*has_sums=*/true);
    if (federation.Run(FailAt(n, gone), NoTrouble)) break;
    ASSERT_THAT(federation.Run(NoTrouble, NoTrouble), IsOk()) << n;
    EXPECT_EQ(federation.aggregator().accepted(), undisturbed.aggregator().accepted()) << n;
    EXPECT_EQ(federation.trainings(), static_cast<int>(kRounds)) << n;
  }
  EXPECT_GT(ended, 20);
}

TEST_F(FollowingTaskLoop, ASiteThatLostItsStateSaysSoAndTrainsNothing) {
  const Error gone(ErrorCode::kInternal, "gone");
  const Trouble in_the_second_round = [&]() -> std::optional<Error> {
    if (federation_.aggregator().round() == 1) return gone;
    return std::nullopt;
  };
  ASSERT_THAT(federation_.Run(in_the_second_round, NoTrouble), IsError(ErrorCode::kInternal, ""));
  federation_.LoseDisk();
  EXPECT_THAT(federation_.Run(NoTrouble, NoTrouble),
              IsError(ErrorCode::kFailedPrecondition,
                      "the part of its sums that goes with it is not in local_state"));
  EXPECT_THAT(federation_.aggregator().failures(),
              testing::ElementsAre(HasSubstr("1 train the model holds an update of this site")));
  EXPECT_EQ(federation_.trainings(), 1);
}

TEST(TaskLoop, WritesALineOfMetricsARound) {
  Federation federation;
  ASSERT_THAT(federation.Run(NoTrouble, NoTrouble), IsOk());
  const std::string metrics = federation.metrics();
  EXPECT_THAT(metrics,
              testing::StartsWith(R"({"round_number": 0, "elapsed_seconds": 0, )"
                                  R"("site1/judge/accuracy": -0.5, "site1/train/loss": 1, )"));
  EXPECT_EQ(std::ranges::count(metrics, '\n'), static_cast<std::ptrdiff_t>(kRounds));
}

TEST(TaskLoop, ATaskThatFailsEndsTheProcessWithItsWords) {
  Federation federation;
  const Error diverged(ErrorCode::kInvalidArgument, "the loss of layer fc2 is not finite");
  EXPECT_THAT(federation.Run(NoTrouble, FailAt(1, diverged)),
              IsError(ErrorCode::kInvalidArgument,
                      "task train of round 0 failed\n  because: the loss of layer fc2"));
  EXPECT_EQ(federation.aggregator().accepted().size(), 1U);
  EXPECT_THAT(federation.aggregator().failures(),
              testing::ElementsAre("0 train the loss of layer fc2 is not finite"));
}

TEST(TaskLoop, ATaskWhoseNumbersRanAwayIsReportedAndTheNextRoundIsTried) {
  Federation federation;
  const Error diverged(ErrorCode::kOutOfRange, "the loss is not finite: layer fc2");
  ASSERT_THAT(federation.Run(NoTrouble, FailAt(1, diverged)), IsOk());
  EXPECT_THAT(federation.aggregator().failures(),
              testing::ElementsAre("0 train the loss is not finite: layer fc2"));
  EXPECT_EQ(federation.aggregator().accepted().size(), 1 + 3 * (kRounds - 1));
  EXPECT_EQ(std::ranges::count(federation.metrics(), '\n'), static_cast<std::ptrdiff_t>(kRounds));
}

// Whether the report arrives, or its answer does: the round is left behind all the same.
TEST(TaskLoop, AReportIsSaidAgainUntilItArrives) {
  for (int call = 0; call < 40; ++call) {
    Federation federation;
    const Error diverged(ErrorCode::kOutOfRange, "nan");
    const Error lost(ErrorCode::kUnavailable, "the connection was cut");
    ASSERT_THAT(federation.Run(FailAt(call, lost), FailAt(1, diverged)), IsOk()) << call;
    EXPECT_EQ(federation.aggregator().round(), kRounds) << call;
    EXPECT_THAT(federation.aggregator().failures(), testing::SizeIs(testing::Le(1U))) << call;
  }
}

TEST(TaskLoop, AStopDuringTrainingEndsItAndTheNextProcessGoesOn) {
  Federation undisturbed, federation;
  ASSERT_THAT(undisturbed.Run(NoTrouble, NoTrouble), IsOk());
  std::stop_source stop;
  int calls = 0;
  const Trouble signal = [&]() -> std::optional<Error> {
    if (++calls == 3) {  // after judge, in train
      stop.request_stop();
      return Error(ErrorCode::kCancelled, "training was stopped");
    }
    return std::nullopt;
  };
  EXPECT_THAT(federation.Run(NoTrouble, signal, stop.get_token()),
              IsError(ErrorCode::kCancelled, "the same command continues where this one stopped"));
  EXPECT_EQ(calls, 3);
  ASSERT_THAT(federation.Run(NoTrouble, NoTrouble), IsOk());
  EXPECT_EQ(federation.aggregator().accepted(), undisturbed.aggregator().accepted());
}

TEST(TaskLoop, AModelThatIsGoneMeansThatTheRoundHasMovedOn) {
  Federation undisturbed, federation;
  ASSERT_THAT(undisturbed.Run(NoTrouble, NoTrouble), IsOk());
  const Error gone(ErrorCode::kNotFound, "no such model");
  ASSERT_THAT(federation.Run(FailAt(2, gone), NoTrouble), IsOk());
  EXPECT_EQ(federation.aggregator().accepted(), undisturbed.aggregator().accepted());
}

TEST(TaskLoop, AFaultOfItsOwnFilesIsNotTakenForARoundThatHasMovedOn) {
  for (const int call : {2, 6}) {  // a download, a result
    Federation federation;
    const Error local(ErrorCode::kInternal, "cannot read update.fxm: No such file or directory");
    EXPECT_THAT(federation.Run(FailAt(call, local), NoTrouble),
                IsError(ErrorCode::kInternal, "because: cannot read update.fxm"));
  }
}

// Refuses every result as too late, and yet assigns it again.
class ContradictoryLink : public FakeLink {
 public:
  using FakeLink::FakeLink;
  Status Send(const TaskResult&) override {
    return Fail(ErrorCode::kAborted, "round 0 is over, the federation is in round 0");
  }
};

TEST(TaskLoop, AnAggregatorThatContradictsItselfIsNotAskedForEver) {
  Federation federation;
  ContradictoryLink link(federation.aggregator(), NoTrouble);
  EXPECT_THAT(federation.RunOver(link, NoTrouble),
              IsError(ErrorCode::kAborted, "cannot send the result of judge of round 0"));
}

// A question that was stuck in a dead connection may arrive after the one that replaced it.
TEST(TaskLoop, AQuestionThatAnotherReplacedIsAskedAgainAFewTimes) {
  const Error replaced(ErrorCode::kAborted, "another call for tasks came in under the name site1");
  Federation stuck;
  EXPECT_THAT(stuck.Run(FailAt(0, replaced), NoTrouble), IsOk());
  Federation two_processes;
  int calls = 0;
  const Trouble always = [&]() -> std::optional<Error> {
    ++calls;
    return replaced;
  };
  EXPECT_THAT(two_processes.Run(always, NoTrouble),
              IsError(ErrorCode::kAborted, "cannot get tasks from the aggregator"));
  EXPECT_EQ(calls, 5);
}

TEST(TaskLoop, AnAggregatorThatRefusesTheCallIsNotAskedAgain) {
  Federation federation;
  const Error refused(ErrorCode::kPermissionDenied, "site1 is not in plan/cols.yaml");
  EXPECT_THAT(federation.Run(FailAt(0, refused), NoTrouble),
              IsError(ErrorCode::kPermissionDenied, "cannot get tasks from the aggregator"));
}

}  // namespace
}  // namespace fx::collaborator
