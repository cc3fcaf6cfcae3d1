// What an aggregation function keeps from round to round: never lost, never counted twice.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/aggregator/job_fixture.h"

namespace fx::aggregator {
namespace {

using fx::test::IsError;
using fx::test::IsOk;
using test::RandomModel;

class MemoryJobTest : public test::JobFixture {
 protected:
  MemoryJobTest() {
    how_.function = {.function = "FedAdam", .settings = {}};
    action_.first = true;
    StageThree();
  }

  // The round after, which starts from `base`.
  void Open(const ModelId& base, std::uint32_t rounds_later = 1) {
    action_ = {.round = Round{Number(action_.round) + rounds_later},
               .base = base,
               .first = false,
               .tasks = {}};
    StageThree();
  }

  std::size_t NumFiles() const { return ListFolder(dir_.path() / "memory")->size(); }
};

TEST_F(MemoryJobTest, ARoundThatIsFoldedTwiceTakesOneStep) {
  const ModelId first = *Run();
  EXPECT_EQ(*Run(), first);
  Open(first);
  const ModelId second = *Run(1);
  EXPECT_EQ(*Run(3), second);
  EXPECT_EQ(*Run(), second);
}

TEST_F(MemoryJobTest, IsThereAfterARestart) {
  const ModelId first = *Run();
  Open(first);
  const ModelId second = *Run();
  Open(second);
  const ModelId third = *Run();
  memories_ = MemoryStore(dir_.path() / "memory");
  spool_ = *Spool::Open(dir_.path() / "spool");
  models_ = *ModelStore::Open(dir_.path() / "models");
  EXPECT_EQ(*Run(), third);
}

TEST_F(MemoryJobTest, MattersForTheNextModel) {
  const ModelId first = *Run();
  Open(first);
  const ModelId second = *Run();
  action_.first = true;
  EXPECT_NE(*Run(), second);
}

TEST_F(MemoryJobTest, OutlivesRoundsWithoutTraining) {
  const ModelId first = *Run();
  Open(first);
  const ModelId second = *Run();
  ASSERT_THAT(memories_.Prune(Round{9}), IsOk());
  Open(first, 4);
  EXPECT_THAT(Run(), IsError(ErrorCode::kNotFound, "what the aggregation function kept"))
      << "of the model before, which nothing starts from any more";
  action_.base = second;
  EXPECT_THAT(Run(), IsOk());
}

TEST_F(MemoryJobTest, IsPrunedOnceARoundStartsFromTheNext) {
  const ModelId first = *Run();
  EXPECT_EQ(NumFiles(), 2U);
  Open(first);
  const ModelId second = *Run();
  EXPECT_EQ(NumFiles(), 4U);
  ASSERT_THAT(memories_.Prune(action_.round), IsOk());
  EXPECT_EQ(NumFiles(), 4U) << "the round may be folded again";
  EXPECT_EQ(*Run(), second);
  ASSERT_THAT(memories_.Prune(Next(action_.round)), IsOk());
  EXPECT_EQ(NumFiles(), 2U);
}

TEST_F(MemoryJobTest, ThatIsLostIsNoticed) {
  Open(*Run());
  const std::vector<Path> files = *ListFolder(dir_.path() / "memory");
  ASSERT_EQ(files.size(), 2U);
  for (const Path& file : files) {
    ASSERT_THAT(RemoveIfExists(file), IsOk());
  }
  EXPECT_THAT(Run(), IsError(ErrorCode::kNotFound, "cannot aggregate round 5"));
}

TEST_F(MemoryJobTest, OfAFunctionThatKeepsNothingTakesNoFile) {
  how_.function = {};
  ASSERT_THAT(Run(), IsOk());
  EXPECT_FALSE(Exists(dir_.path() / "memory"));
}

TEST_F(MemoryJobTest, FedAvgMWithRateOneAndNoMomentumMakesTheSameFileAsTheAverage) {
  how_.function = {.function = "FedAvgM", .settings = {{"learning_rate", 1}, {"momentum", 0}}};
  const ModelId momentum = *Run();
  how_.function = {};
  EXPECT_EQ(*Run(), momentum);
}

TEST_F(MemoryJobTest, FedNovaKnowsTheStepsOfThePlan) {
  how_.function = {.function = "FedNova", .settings = {}};
  how_.paces[{"train"}] = {.epochs = 2, .batch_size = 32};
  EXPECT_EQ(how_.StepsOf({"train"}, 100), 8);
  EXPECT_EQ(how_.StepsOf({"train"}, 96), 6);
  EXPECT_EQ(how_.StepsOf({"train"}, -1), 1);
  const ModelId normalized = *Run();
  how_.paces[{"train"}].batch_size = 1000;  // two steps each
  const ModelId equal = *Run();
  EXPECT_NE(equal, normalized);
  how_.function = {};
  EXPECT_EQ(*Run(), equal);
}

}  // namespace
}  // namespace fx::aggregator
