#include "aggregator/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "core/base/log.h"
#include "tests/support/must.h"

namespace fx::aggregator {
namespace {

using test::Must;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Plan ThreeTasks() {
  Plan plan;
  const auto add = [&](const char* name, TaskFunction function, ApplyTo apply) {
    TaskSpec& task = plan.tasks[TaskName{name}];
    task.function = function;
    task.apply = apply;
  };
  add("judge", TaskFunction::kValidate, ApplyTo::kGlobal);
  add("train", TaskFunction::kTrain, ApplyTo::kGlobal);
  add("tuned", TaskFunction::kValidate, ApplyTo::kLocal);
  return plan;
}

AggregatedMetric Measured(const char* task, const char* metric, double value) {
  return {.task = {task}, .metric = {.name = metric, .value = value}};
}

RoundOpened Opened(std::uint32_t round) {
  return {.round = Round{round},
          .model = {"m"},
          .assignments = {{{"ann"}, {{"judge"}, {"train"}}}, {{"bob"}, {{"judge"}}}}};
}

RoundClosed Closed() {
  return {.stragglers = {},
          .metrics = {Measured("judge", "accuracy", 0.875), Measured("train", "loss", 0.4375),
                      Measured("tuned", "accuracy", 0.9)}};
}

class ReportTest : public testing::Test {
 protected:
  std::ostringstream table_;
  Report report_{ThreeTasks(), &table_};
};

TEST_F(ReportTest, ShowsARowARoundFromItsRecord) {
  report_.Happened(TimeMs{1000}, Opened(7));
  report_.Happened(TimeMs{13'500}, Closed());
  EXPECT_EQ(table_.str(),
            "round      loss  accuracy  locally tuned  seconds\n"
            "    7    0.4375    0.8750         0.9000     12.5\n");
}

TEST_F(ReportTest, PrefersTheLossOfTheAggregatedModel) {
  RoundClosed closed = Closed();
  closed.metrics.push_back(Measured("judge", "loss", 0.5));
  report_.Happened(TimeMs{0}, Opened(0));
  report_.Happened(TimeMs{0}, closed);
  EXPECT_THAT(table_.str(), HasSubstr("    0    0.5000    0.8750"));
}

TEST_F(ReportTest, LeavesABlankWhereNothingWasMeasured) {
  report_.Happened(TimeMs{0}, Opened(0));
  report_.Happened(TimeMs{0}, RoundClosed{.stragglers = {}, .metrics = {}});
  EXPECT_THAT(table_.str(), HasSubstr("    0         -         -              -      0.0\n"));
}

TEST_F(ReportTest, MakesTheSameMetricsLinesFromReplayedRecords) {
  Report replayed(ThreeTasks(), nullptr);
  report_.Happened(TimeMs{0}, Opened(0));
  report_.Happened(TimeMs{250}, Closed());
  replayed.Replayed(TimeMs{0}, Opened(0));
  replayed.Replayed(TimeMs{250}, Closed());
  EXPECT_THAT(replayed.metrics_lines(),
              ElementsAre("{\"round_number\": 0, \"elapsed_seconds\": 0.25, "
                          "\"aggregator/judge/accuracy\": 0.875, \"aggregator/train/loss\": "
                          "0.4375, \"aggregator/tuned/accuracy\": 0.9}"));
  EXPECT_EQ(replayed.metrics_lines(), report_.metrics_lines());
}

TEST_F(ReportTest, LogsWhatOpenFlUsersLookFor) {
  const TempDir folder;
  const std::string log = (folder.path() / "log").string();
  ASSERT_TRUE(AddLogFile(log));
  const auto result = [](const char* who, const char* task) {
    return ResultAccepted{
        .who = {who}, .task = {task}, .update = {}, .num_samples = 1, .metrics = {}};
  };
  report_.Replayed(TimeMs{0}, Opened(6));
  report_.Happened(TimeMs{0}, Opened(7));
  report_.Happened(TimeMs{0}, result("ann", "judge"));
  report_.Happened(TimeMs{0}, result("bob", "judge"));
  report_.Happened(TimeMs{0}, result("ann", "train"));
  report_.Happened(TimeMs{0}, RoundClosed{.stragglers = {{"cid"}}, .metrics = {}});
  report_.Happened(TimeMs{0}, FederationFinished{});
  const std::string text = Must(ReadFile(log));
  EXPECT_THAT(text, HasSubstr("Starting round 7..."));
  EXPECT_THAT(text, Not(HasSubstr("Starting round 6...")));
  EXPECT_THAT(text, HasSubstr("Round: 7, Collaborators that have completed all tasks: ['bob']"));
  EXPECT_THAT(text,
              HasSubstr("Round: 7, Collaborators that have completed all tasks: ['ann', 'bob']"));
  EXPECT_THAT(text, HasSubstr("closed without the collaborators: ['cid']"));
  EXPECT_THAT(text, HasSubstr("Experiment Completed. Cleaning up..."));
}

TEST_F(ReportTest, NamesWhoCompletedAloneWhereAListWouldBeLong) {
  const TempDir folder;
  const std::string log = (folder.path() / "log").string();
  ASSERT_TRUE(AddLogFile(log));
  RoundOpened opened{.round = Round{2}, .model = {"m"}, .assignments = {}};
  for (int i = 0; i < 1000; ++i) opened.assignments[{"site" + std::to_string(i)}] = {{"judge"}};
  report_.Happened(TimeMs{0}, opened);
  for (const char* who : {"site3", "site7"}) {
    report_.Happened(
        TimeMs{0},
        ResultAccepted{
            .who = {who}, .task = {"judge"}, .update = {}, .num_samples = 1, .metrics = {}});
  }
  const std::string text = Must(ReadFile(log));
  EXPECT_THAT(text, HasSubstr("Round: 2, Collaborator site7 has completed all tasks"));
  EXPECT_THAT(text, Not(HasSubstr("'site3'")));
}

}  // namespace
}  // namespace fx::aggregator
