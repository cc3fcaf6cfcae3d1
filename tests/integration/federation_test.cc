// A whole federation over real gRPC, also with an aggregator that keeps dying.
#include "tests/integration/federation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>

#include "aggregator/standing.h"
#include "aggregator/state_folder.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using aggregator::Outcome;
using aggregator::ReadStanding;
using testing::HasSubstr;
using testing::StartsWith;

// Results of the plan of the tests: two members, two rounds of three tasks and a last judgement.
constexpr int kResultsOfRound = 2 * 3;
constexpr int kResults = 2 * kResultsOfRound + 2;

// The collaborators of a federation, each on a thread of its own.
class Collaborators {
 public:
  Collaborators(const TestFederation& federation, std::uint16_t port) {
    for (const CollaboratorName& name : federation.plan.authorized) {
      threads_.emplace_back([&, port, name] {
        const Status done = Collaborate(federation, name.value, port, [this] { Count(); });
        EXPECT_THAT(done, IsOk());
      });
    }
  }

  void WaitForResults(int count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return results_ >= count; });
  }

  // That were acknowledged so far.
  int results() {
    const std::lock_guard lock(mutex_);
    return results_;
  }

 private:
  void Count() {
    {
      const std::lock_guard lock(mutex_);
      ++results_;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int results_ = 0;
  std::vector<std::jthread> threads_;
};

// The last model of a federation whose aggregator is ended after each of `deaths` results, and
// started again.
std::string LastModelAfter(const std::set<int>& deaths) {
  const TestFederation federation;
  auto running = std::make_optional<RunningAggregator>(federation.Options());
  const std::uint16_t port = running->port();
  Collaborators collaborators(federation, port);
  for (const int results : deaths) {
    collaborators.WaitForResults(results);
    running.reset();
    running.emplace(federation.Options(port));
  }
  EXPECT_THAT(running->Wait(), IsOkAndHolds(Outcome::kFinished));
  return Must(ReadFile(federation.LastModel()));
}

TEST(Federation, EndsWithTheSameModelWheneverTheAggregatorDies) {
  const std::string undisturbed = LastModelAfter({});
  for (int results = 1; results < kResults; ++results) {
    EXPECT_EQ(LastModelAfter({results}), undisturbed) << "after " << results << " results";
  }
}

TEST(Federation, EndsWithTheSameModelIfTheAggregatorDiesAfterEveryResult) {
  std::set<int> all;
  for (int results = 1; results < kResults; ++results) all.insert(results);
  EXPECT_EQ(LastModelAfter(all), LastModelAfter({}));
}

TEST(Federation, TellsEveryoneSavesItsModelsAndShowsARowARound) {
  const TestFederation federation;
  std::ostringstream table;
  aggregator::RuntimeOptions options = federation.Options();
  options.table = &table;
  RunningAggregator running(std::move(options));
  {
    const Collaborators collaborators(federation, running.port());
    EXPECT_THAT(running.Wait(), IsOkAndHolds(Outcome::kFinished));
  }
  const Path& workspace = federation.workspace.path();
  EXPECT_TRUE(Exists(workspace / federation.plan.aggregator.best_state_path));
  EXPECT_TRUE(Exists(federation.LastModel()));
  EXPECT_THAT(table.str(), testing::MatchesRegex("round +loss +accuracy +locally tuned +seconds\n"
                                                 " +0 +0.* +0.* +0.* +[0-9.]+\n"
                                                 " +1 +0.* +0.* +0.* +[0-9.]+\n"
                                                 " +2 +0.* +0.* +- +[0-9.]+\n"));
  const std::string metrics = Must(ReadFile(workspace / "logs" / "aggregator_metrics.txt"));
  EXPECT_EQ(std::ranges::count(metrics, '\n'), 3);
  EXPECT_THAT(metrics, StartsWith("{\"round_number\": 0, \"elapsed_seconds\": "));
  EXPECT_THAT(metrics, HasSubstr("\"aggregator/train/loss\": 0."));
}

TEST(Federation, ThatIsOverSaysSoToThoseWhoAskAgain) {
  const TestFederation federation({"ann"});
  {
    RunningAggregator running(federation.Options());
    const Collaborators collaborators(federation, running.port());
    EXPECT_THAT(running.Wait(), IsOkAndHolds(Outcome::kFinished));
  }
  const std::string metrics_file = federation.workspace.path() / "logs/aggregator_metrics.txt";
  const std::string metrics = Must(ReadFile(metrics_file));
  RunningAggregator again(federation.Options());
  EXPECT_THAT(Collaborate(federation, "ann", again.port(), [] { FAIL() << "sent a result"; }),
              IsOk());
  EXPECT_THAT(again.Wait(), IsOkAndHolds(Outcome::kFinished));
  EXPECT_EQ(Must(ReadFile(metrics_file)), metrics);
}

TEST(Federation, ServesMoreSitesThanItReceivesUpdatesOfAtOnce) {
  std::vector<std::string> members;
  for (char name = 'a'; name <= 'h'; ++name) members.emplace_back(3, name);
  std::set<std::string> models;
  for (const std::size_t at_once : {1U, 64U}) {
    const TestFederation federation(members);
    aggregator::RuntimeOptions options = federation.Options();
    options.uploads_at_once = at_once;
    RunningAggregator running(std::move(options));
    const Collaborators collaborators(federation, running.port());
    EXPECT_THAT(running.Wait(), IsOkAndHolds(Outcome::kFinished));
    models.insert(Must(ReadFile(federation.LastModel())));
  }
  EXPECT_EQ(models.size(), 1U);
}

// Written by the first version in the middle of round 1, and to be continued by every later one.
// Never made anew.
TEST(Federation, ContinuesTheStateFolderOfTheFirstVersion) {
  const TestFederation federation;
  const Path state = aggregator::StatePath(federation.workspace.path(), federation.plan);
  Must(MakeFolders(state.parent_path()));
  std::filesystem::copy(Path(FX_SOURCE_DIR) / "tests/integration/testdata/state_v1", state,
                        std::filesystem::copy_options::recursive);
  const auto before = Must(ReadStanding(federation.workspace.path(), federation.plan));
  ASSERT_TRUE(before);
  EXPECT_EQ(before->state.phase, aggregator::Phase::kCollecting);
  EXPECT_EQ(before->state.round, Round{1});
  const std::size_t known = before->state.accepted.size();
  EXPECT_GT(known, 0U);

  RunningAggregator running(federation.Options());
  Collaborators collaborators(federation, running.port());
  EXPECT_THAT(running.Wait(), IsOkAndHolds(Outcome::kFinished));
  EXPECT_EQ(collaborators.results(), kResults - kResultsOfRound - static_cast<int>(known));
  EXPECT_EQ(Must(ReadFile(federation.LastModel())), LastModelAfter({}));
  const auto after = Must(ReadStanding(federation.workspace.path(), federation.plan));
  EXPECT_EQ(after->state.phase, aggregator::Phase::kFinished);
}

TEST(Federation, StopsWhenAsked) {
  const TestFederation federation;
  auto runtime = Must(aggregator::Runtime::Create(federation.Options()));
  runtime->RequestStop();
  EXPECT_THAT(runtime->Run(), IsOkAndHolds(Outcome::kStopped));
}

}  // namespace
}  // namespace fx::test
