#include "fx/aggregator/vitals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <regex>
#include <sstream>
#include <string>

#include "core/base/format.h"
#include "fx/collaborator/vitals.h"
#include "fx/service/metrics_text.h"
#include "tests/support/must.h"
#include "tests/support/networks.h"

namespace fx {
namespace {

using testing::HasSubstr;

const CollaboratorName kAnn{"ann"};
const CollaboratorName kBob{"bob"};
const TaskName kTrain{"train"};
const TaskName kJudge{"judge"};

// "fx_round 3" for a metric of this name; "" if there is none.
std::string ValueOf(const std::string& metrics, const std::string& name) {
  std::istringstream lines(metrics);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + " ")) return line.substr(name.size() + 1);
  }
  return "";
}

// Each metric is three lines, as the text format has it.
void ExpectWellFormed(const std::string& metrics) {
  const std::regex all(
      "(# HELP (fx_[a-z_]+) [^\n]+\n# TYPE \\2 (gauge|counter)\n\\2 [0-9.e+-]+\n)+");
  EXPECT_TRUE(std::regex_match(metrics, all)) << metrics;
}

Plan PlanOfTwo() {
  Plan plan;
  plan.authorized = {kAnn, kBob};
  plan.task_runner.input_shape = {4};
  plan.task_runner.layers = {test::Dense("dense", 3)};
  test::Must(InferShapes(plan.task_runner));
  return plan;
}

TEST(MetricsText, WritesNumbersAsPrometheusReadsThem) {
  MetricsText text;
  text.Gauge("fx_a", "An a.", 0.25);
  text.Counter("fx_b_total", "All b.", 12345678901.0);
  EXPECT_EQ(text.text(),
            "# HELP fx_a An a.\n# TYPE fx_a gauge\nfx_a 0.25\n"
            "# HELP fx_b_total All b.\n# TYPE fx_b_total counter\nfx_b_total 12345678901\n");
  MetricsText odd;
  odd.Gauge("fx_c", "C.", std::numeric_limits<double>::quiet_NaN());
  odd.Gauge("fx_d", "D.", -std::numeric_limits<double>::infinity());
  EXPECT_THAT(odd.text(), HasSubstr("fx_c NaN\n"));
  EXPECT_THAT(odd.text(), HasSubstr("fx_d -Inf\n"));
}

class Aggregator : public testing::Test {
 protected:
  void Open(std::uint32_t round, std::int64_t at) {
    vitals_.Happened(TimeMs{at}, aggregator::RoundOpened{
                                     .round = Round{round},
                                     .model = {},
                                     .assignments = {{kAnn, {kJudge, kTrain}}, {kBob, {kTrain}}}});
  }
  void Accept(const CollaboratorName& who, const TaskName& task, const std::string& update) {
    vitals_.Happened(
        TimeMs{0},
        aggregator::ResultAccepted{
            .who = who, .task = task, .update = UpdateId{update}, .num_samples = 1, .metrics = {}});
  }
  std::string Value(const std::string& name) const { return ValueOf(vitals_.Metrics(), name); }

  AggregatorVitals vitals_{PlanOfTwo()};
};

TEST_F(Aggregator, SaysWhoIsDoneWithTheRound) {
  EXPECT_EQ(vitals_.Line(), "the first round is being prepared");
  Open(0, 0);
  Accept(kAnn, kJudge, "");
  EXPECT_EQ(vitals_.Line(), "round 0: 0 of 2 collaborators are done");
  Accept(kAnn, kTrain, "u");
  EXPECT_EQ(vitals_.Line(), "round 0: 1 of 2 collaborators are done");
  vitals_.Happened(TimeMs{0}, aggregator::ResultsLost{.results = {{.who = kAnn, .task = kTrain}}});
  EXPECT_EQ(vitals_.Line(), "round 0: 0 of 2 collaborators are done");
  vitals_.Happened(TimeMs{9}, aggregator::RoundClosed{.stragglers = {}, .metrics = {}});
  EXPECT_EQ(vitals_.Line(), "round 0: aggregating");
  vitals_.Happened(TimeMs{9}, aggregator::FederationFinished{});
  EXPECT_EQ(vitals_.Line(), "the federation is over");
}

TEST_F(Aggregator, CountsOverTheRounds) {
  ExpectWellFormed(vitals_.Metrics());
  Open(0, 1'000);
  Accept(kAnn, kJudge, "");
  Accept(kAnn, kTrain, "u");
  vitals_.Happened(TimeMs{3'500}, aggregator::RoundClosed{.stragglers = {kBob}, .metrics = {}});
  Open(1, 4'000);
  ExpectWellFormed(vitals_.Metrics());
  EXPECT_EQ(Value("fx_round"), "1");
  EXPECT_EQ(Value("fx_collaborators"), "2");
  EXPECT_EQ(Value("fx_collaborators_seen"), "1");
  EXPECT_EQ(Value("fx_round_collaborators_done"), "0");
  EXPECT_EQ(Value("fx_last_round_seconds"), "2.5");
  EXPECT_EQ(Value("fx_rounds_closed_total"), "1");
  EXPECT_EQ(Value("fx_results_total"), "2");
  EXPECT_EQ(Value("fx_stragglers_total"), "1");
  EXPECT_GT(std::stoi(Value("fx_update_bytes_total")), 0);
}

TEST(Collaborator, SaysWhatItIsDoing) {
  CollaboratorVitals vitals;
  vitals.Doing(collaborator::AskForTasks{});
  EXPECT_EQ(vitals.Line(), "waiting for tasks");
  collaborator::RunTask run;
  run.round = Round{4};
  run.task = kTrain;
  vitals.Doing(run);
  EXPECT_EQ(vitals.Line(), "round 4: train");
  EXPECT_EQ(ValueOf(vitals.Metrics(), "fx_task_running"), "1");
  EXPECT_EQ(ValueOf(vitals.Metrics(), "fx_round"), "4");
  collaborator::SendResult send;
  send.result.round = Round{4};
  send.result.task = kTrain;
  send.result.seconds = 1.5;
  vitals.Doing(send);
  EXPECT_EQ(vitals.Line(), "round 4: sending the result of train");
  EXPECT_EQ(ValueOf(vitals.Metrics(), "fx_task_running"), "0");
  EXPECT_EQ(ValueOf(vitals.Metrics(), "fx_last_task_seconds"), "1.5");
  ExpectWellFormed(vitals.Metrics());
}

TEST(Collaborator, KnowsWhetherTheAggregatorCanBeReached) {
  CollaboratorVitals vitals;
  EXPECT_TRUE(vitals.reaches_aggregator());
  vitals.link().lost = true;
  EXPECT_FALSE(vitals.reaches_aggregator());
  EXPECT_EQ(ValueOf(vitals.Metrics(), "fx_aggregator_reachable"), "0");
}

}  // namespace
}  // namespace fx
