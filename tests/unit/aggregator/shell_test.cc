// What the shell promises beside the engine; simulations (tests/simulation) do the rest.
#include "aggregator/shell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/matchers.h"

namespace fx::aggregator {
namespace {

using test::IsOk;
using testing::ElementsAre;

constexpr std::int64_t kCutoffMs = 1000;

// Remembers the journal, and what was asked for.
class MemoryPorts : public ShellPorts {
 public:
  TimeMs now{};
  std::vector<Journal::Entry> journal;
  std::vector<std::string> jobs;

  TimeMs Now() override { return now; }
  std::int64_t SteadyMs() override { return Count(now); }
  Result<std::vector<Journal::Entry>> LoadJournal() override { return journal; }
  Status AppendToJournal(TimeMs at, std::span<const Record> records) override {
    for (const Record& record : records) {
      const auto seq = static_cast<std::int64_t>(journal.size()) + 1;
      journal.push_back({.seq = seq, .at = at, .record = record});
    }
    return Ok();
  }
  void Fold(const AggregateRound&) override { jobs.emplace_back("fold"); }
  void SaveBest(const SaveBestModel&, double) override {}
  void SaveLast(const SaveLastModel&) override {}
  void RemoveOld(const Prune&) override { jobs.emplace_back("remove"); }
  void WriteMetrics(const std::vector<std::string>&) override {}
};

Plan PlanOfTwo() {
  Plan plan;
  plan.authorized = {{"ann"}, {"bob"}};
  plan.tasks[{"train"}] = TaskSpec{.name = {"train"}, .metrics = {}, .batch_size = {}};
  plan.task_groups = {{.name = {}, .collaborators = {}, .tasks = {{"train"}}}};
  plan.stragglers.cutoff_ms = kCutoffMs;
  return plan;
}

class ShellTest : public testing::Test {
 protected:
  // A new process on the same journal.
  Shell& Restart(ShellOptions options = {}) {
    ports_.jobs.clear();
    shell_.emplace(plan_, options, ports_, waiters_, board_);
    EXPECT_THAT(shell_->Replay(), IsOk());
    EXPECT_THAT(shell_->Start({"m0"}, 1), IsOk());
    return *shell_;
  }
  void AnnIsDone(Shell& shell) {
    EXPECT_THAT(
        shell.Turn({TasksRequested{.who = {"ann"}, .request = {}}, ResultStaged{.who = {"ann"},
                                                                                .request = {},
                                                                                .round = {},
                                                                                .task = {"train"},
                                                                                .update = {"u"},
                                                                                .num_samples = 1,
                                                                                .metrics = {}}}),
        IsOk());
  }

  Plan plan_ = PlanOfTwo();
  MemoryPorts ports_;
  Waiters waiters_;
  RoundBoard board_;
  std::optional<Shell> shell_;
};

TEST_F(ShellTest, WaitsNoLongerThanForTheDeadlineAndFoldsThen) {
  Shell& shell = Restart();
  shell.OnOldRemoved();
  AnnIsDone(shell);
  EXPECT_EQ(shell.patience(), kCutoffMs);
  ports_.now = TimeMs{kCutoffMs};
  EXPECT_EQ(shell.patience(), 0);
  EXPECT_THAT(shell.Turn({}), IsOk());
  EXPECT_THAT(ports_.jobs, ElementsAre("remove", "fold"));
}

TEST_F(ShellTest, GivesWhoIsAddedTasksFromTheNextRoundOn) {
  Shell& shell = Restart();
  shell.OnOldRemoved();
  EXPECT_THAT(shell.Turn({MembersChanged{{{"ann"}, {"bob"}, {"zoe"}}}}), IsOk());
  EXPECT_FALSE(shell.state().assignments.contains({"zoe"}));
  AnnIsDone(shell);
  ports_.now = TimeMs{kCutoffMs};
  EXPECT_THAT(shell.Turn({}), IsOk());
  EXPECT_THAT(shell.Turn({AggregationFinished{.round = {}, .model = {"m1"}}}), IsOk());
  EXPECT_EQ(shell.state().round, Round{1});
  EXPECT_TRUE(shell.state().assignments.contains({"zoe"}));
}

// Everyone who may take part has said goodbye once those who are left have.
TEST_F(ShellTest, WaitsForNoGoodbyeOfWhoLeft) {
  ports_.journal.push_back({.seq = 1, .at = {}, .record = FederationFinished{}});
  Shell& shell =
      Restart({.goodbye_ms = 0, .late_goodbye_ms = 60'000, .quiet_ms = 0, .table = nullptr});
  const RequestId request = waiters_.NewRequest();
  const Waiter ann{.who = {"ann"}, .leaving = true, .answer = [](const Reply&) {}};
  ASSERT_THAT(waiters_.AddTasks(request, ann), IsOk());
  EXPECT_THAT(shell.Turn({MembersChanged{{{"ann"}}}, TasksRequested{{"ann"}, request}}), IsOk());
  EXPECT_TRUE(shell.done());
}

TEST_F(ShellTest, IsDoneAfterTheRoundIfAnAdministratorWantsThat) {
  Shell& shell = Restart();
  shell.OnOldRemoved();
  EXPECT_THAT(shell.Turn({PauseRequested{}, CutOffRequested{}}), IsOk());
  EXPECT_EQ(shell.state().phase, Phase::kCollecting);  // nobody has done anything
  AnnIsDone(shell);
  EXPECT_THAT(shell.Turn({CutOffRequested{}}), IsOk());
  EXPECT_FALSE(shell.done());
  EXPECT_THAT(shell.Turn({AggregationFinished{.round = {}, .model = {"m1"}}}), IsOk());
  EXPECT_TRUE(shell.done());
  EXPECT_FALSE(shell.leaving());
  EXPECT_EQ(Restart().state().round, Round{1});
}

// cols.yaml was changed while no aggregator ran.
TEST_F(ShellTest, GoesOnWithoutWhoLeftMeanwhile) {
  AnnIsDone(Restart());
  plan_.authorized = {{"ann"}};
  EXPECT_EQ(Restart().state().phase, Phase::kAggregating);
}

// The fold makes a model that the files to keep do not name, so it must not overtake the removal;
// after a restart beyond a deadline it would.
TEST_F(ShellTest, FoldsNothingBeforeOldFilesAreRemoved) {
  AnnIsDone(Restart());
  ports_.now = TimeMs{kCutoffMs};
  Shell& shell = Restart();
  EXPECT_THAT(shell.Turn({}), IsOk());
  EXPECT_EQ(shell.state().phase, Phase::kAggregating);
  EXPECT_THAT(ports_.jobs, ElementsAre("remove"));
  shell.OnOldRemoved();
  EXPECT_THAT(ports_.jobs, ElementsAre("remove", "fold"));
}

}  // namespace
}  // namespace fx::aggregator
