#include "aggregator/engine/assigner.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "plan/sampling.h"

namespace fx::aggregator {
namespace {

TaskGroup Group(const std::string& task, double percentage) {
  TaskGroup group;
  group.percentage = percentage;
  group.tasks = {{task}};
  return group;
}

Plan RandomPlan(std::size_t n, std::vector<TaskGroup> groups) {
  Plan plan;
  plan.digest = "3f2a";
  plan.task_groups = std::move(groups);
  for (std::size_t i = 0; i < n; ++i) plan.authorized.push_back({"site-" + std::to_string(i)});
  return plan;
}

std::map<std::string, std::size_t> Sizes(const Assignments& assignments) {
  std::map<std::string, std::size_t> sizes;
  for (const auto& [who, tasks] : assignments) ++sizes[tasks.front().value];
  return sizes;
}

using SizeMap = std::map<std::string, std::size_t>;

TEST(RandomGroupedAssigner, GivesEverybodyOneGroupOfThePlannedSize) {
  const Plan plan = RandomPlan(10, {Group("a", 0.3), Group("b", 0.7)});
  EXPECT_EQ(Sizes(Assign(plan, Round{0})), (SizeMap{{"a", 3}, {"b", 7}}));
}

TEST(RandomGroupedAssigner, GivesWhoIsLeftOverToTheGroupsThatRoundingCutMost) {
  // 2.5, 1.5 and 1 of 5: the first two lost a half each, and one collaborator is left.
  const Plan plan = RandomPlan(5, {Group("a", 0.5), Group("b", 0.3), Group("c", 0.2)});
  EXPECT_EQ(Sizes(Assign(plan, Round{0})), (SizeMap{{"a", 3}, {"b", 1}, {"c", 1}}));
}

TEST(RandomGroupedAssigner, UsesEverybodyWhateverThePercentages) {
  EXPECT_EQ(Assign(RandomPlan(7, {Group("a", 0.1), Group("b", 0.1)}), Round{0}).size(), 7U);
  EXPECT_EQ(Assign(RandomPlan(7, {Group("a", 0.9), Group("b", 0.9)}), Round{0}).size(), 7U);
  EXPECT_EQ(Assign(RandomPlan(1, {Group("a", 0.5), Group("b", 0.5)}), Round{0}).size(), 1U);
}

TEST(RandomGroupedAssigner, IsAFunctionOfPlanAndRound) {
  const Plan plan = RandomPlan(20, {Group("a", 0.5), Group("b", 0.5)});
  EXPECT_EQ(Assign(plan, Round{3}), Assign(plan, Round{3}));
}

TEST(RandomGroupedAssigner, DrawsAnewEachRoundAndForEachPlan) {
  Plan plan = RandomPlan(20, {Group("a", 0.5), Group("b", 0.5)});
  const Assignments before = Assign(plan, Round{0});
  EXPECT_NE(before, Assign(plan, Round{1}));
  plan.digest = "other";
  EXPECT_NE(before, Assign(plan, Round{0}));
}

TEST(RandomGroupedAssigner, TreatsEverybodyAlikeInTheLongRun) {
  const Plan plan = RandomPlan(4, {Group("a", 0.5), Group("b", 0.5)});
  std::map<std::string, int> chosen;
  for (unsigned r = 0; r < 1000; ++r) {
    for (const auto& [who, tasks] : Assign(plan, Round{r})) {
      if (tasks.front().value == "a") ++chosen[who.value];
    }
  }
  for (const auto& [who, count] : chosen) EXPECT_NEAR(count, 500, 80) << who;
}

// Pearson's test: how often each was drawn, against all being drawn alike. Those drawn for a round
// are drawn without repetition, which makes it (n - m) / (n - 1) times as large.
double ChiSquared(const std::map<CollaboratorName, int>& drawn, double expected) {
  double sum = 0;
  for (const auto& [who, times] : drawn) {
    sum += (times - expected) * (times - expected) / expected;
  }
  return sum;
}

TEST(Sampling, DrawsEverybodyAlike) {
  constexpr int kRounds = 4000, kSites = 50, kAsked = 5;
  for (const AssignerType type : {AssignerType::kRandomGrouped, AssignerType::kStaticGrouped}) {
    Plan plan = RandomPlan(kSites, {Group("a", 1)});
    plan.assigner = type;
    plan.task_groups[0].collaborators = plan.authorized;
    plan.sampling = {.fraction = 0.1};
    std::map<CollaboratorName, int> drawn;
    for (unsigned r = 0; r < kRounds; ++r) {
      const Assignments round = Assign(plan, Round{r});
      EXPECT_EQ(round.size(), kAsked);
      for (const auto& [who, tasks] : round) ++drawn[who];
    }
    ASSERT_EQ(drawn.size(), kSites);
    const double chi_squared = ChiSquared(drawn, 1.0 * kRounds * kAsked / kSites);
    EXPECT_LT(chi_squared, 85.35);  // 49 degrees of freedom, one in a thousand
    EXPECT_GT(chi_squared, 18);     // nor all the same by turns
  }
}

TEST(Sampling, RoundsUpAndKeepsToTheMinimum) {
  EXPECT_EQ(NumWanted({}, 7), 7U);
  EXPECT_EQ(NumWanted({.fraction = 0.1}, 25), 3U);
  EXPECT_EQ(NumWanted({.fraction = 0.07}, 100), 7U);  // 0.07 * 100 is a little more than 7
  EXPECT_EQ(NumWanted({.fraction = 0.001}, 10), 1U);
  EXPECT_EQ(NumWanted({.fraction = 0.1, .minimum = 4}, 10), 4U);
  EXPECT_EQ(NumWanted({.fraction = 0.1, .minimum = 4}, 3), 3U);
  EXPECT_EQ(NumAsked({.fraction = 0.1, .over_selection = 0.3}, 100), 13U);
  EXPECT_EQ(NumAsked({.fraction = 0.9, .over_selection = 0.3}, 10), 10U);
}

TEST(Sampling, CutsGroupsFromThoseThatWereDrawn) {
  Plan plan = RandomPlan(20, {Group("a", 0.5), Group("b", 0.5)});
  plan.sampling = {.fraction = 0.2};
  EXPECT_EQ(Sizes(Assign(plan, Round{0})), (SizeMap{{"a", 2}, {"b", 2}}));
}

TEST(StaticGroupedAssigner, GivesEachGroupItsTasksInOrder) {
  Plan plan = RandomPlan(3, {Group("a", 0), Group("b", 0)});
  plan.assigner = AssignerType::kStaticGrouped;
  plan.task_groups[0].collaborators = {plan.authorized[2]};
  plan.task_groups[0].tasks = {{"z"}, {"a"}};
  plan.task_groups[1].collaborators = {plan.authorized[0], plan.authorized[1]};
  EXPECT_EQ(Assign(plan, Round{9}), (Assignments{{plan.authorized[0], {{"b"}}},
                                                 {plan.authorized[1], {{"b"}}},
                                                 {plan.authorized[2], {{"z"}, {"a"}}}}));
}

TEST(Assigner, LeavesOutWhoHasNoTask) {
  Plan plan = RandomPlan(4, {Group("a", 0.5), Group("b", 0.5)});
  plan.task_groups[1].tasks.clear();
  EXPECT_EQ(Assign(plan, Round{0}).size(), 2U);
}

}  // namespace
}  // namespace fx::aggregator
