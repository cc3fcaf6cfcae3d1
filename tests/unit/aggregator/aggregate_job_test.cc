#include "aggregator/aggregate_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "aggregator/engine/metrics.h"
#include "core/base/format.h"
#include "core/base/random.h"
#include "tests/support/matchers.h"
#include "tests/unit/aggregator/job_fixture.h"
#include "tests/unit/aggregator/reference_average.h"

namespace fx::aggregator {
namespace {

using fx::test::IsError;
using fx::test::IsOk;
using test::RandomModel;

class AggregateJobTest : public test::JobFixture {};

TEST_F(AggregateJobTest, EqualsThePlainLoopBitForBit) {
  StageThree();
  const Result<ModelId> id = Run();
  ASSERT_THAT(id, IsOk());
  const Model next = models_.OpenModel(*id)->Load();
  const Model base = RandomModel(0);
  const Model updates[] = {RandomModel(1), RandomModel(2), RandomModel(3)};
  const std::vector<double> shares = SharesOf(std::vector<std::int64_t>{100, 300, 7});
  ASSERT_THAT(CheckLayout(LayoutOf(next), LayoutOf(base)), IsOk());
  for (std::size_t t = 0; t < base.size(); ++t) {
    std::vector<std::vector<float>> parts;
    for (const Model& update : updates) {
      const auto values = update[t].tensor.floats();
      parts.emplace_back(values.begin(), values.end());
    }
    const auto expected = fx::test::ReferenceAverage(base[t].tensor.floats(), parts, shares);
    EXPECT_TRUE(std::ranges::equal(next[t].tensor.floats(), expected)) << base[t].name;
  }
}

TEST_F(AggregateJobTest, TheModelIsADigestOfItsFileAndAWholeFile) {
  StageThree();
  const ModelId id = *Run();
  EXPECT_EQ(id.value, *ModelFileSha256(models_.PathOf(id)));
  EXPECT_EQ(*models_.Add(models_.OpenModel(id)->Load()), id);  // padding and header included
}

TEST_F(AggregateJobTest, BytesDoNotDependOnThreads) {
  StageThree();
  const ModelId one = *Run(1);
  for (const int threads : {0, 2, 3, 7}) EXPECT_EQ(*Run(threads), one) << threads << " threads";
}

TEST_F(AggregateJobTest, FoldsTheUpdatesOfAllTasksTogether) {
  Stage("ann", RandomModel(1), 100, "train_large");
  Stage("bob", RandomModel(2), 300, "train_small");
  const ModelId separate = *Run();
  action_.tasks.clear();
  Stage("ann", RandomModel(1), 100);
  Stage("bob", RandomModel(2), 300);
  EXPECT_EQ(*Run(), separate);
}

// As a change to a large one, a small one would lose its digits.
TEST_F(AggregateJobTest, OptimizerStateIsTheAverageItselfWhateverItWasBefore) {
  const auto square_of = [](float value) {
    Model model;
    model.push_back({"__opt_state_fc.weight.v", Tensor::FromFloats({2}, std::array{value, 1.0F})});
    return model;
  };
  action_.base = *models_.Add(square_of(1.0F));
  Stage("ann", square_of(3e-10F), 1);
  Stage("bob", square_of(5e-10F), 3);
  const Model next = models_.OpenModel(*Run())->Load();
  EXPECT_FLOAT_EQ(next.front().tensor.floats()[0], 4.5e-10F);
  EXPECT_EQ(next.front().tensor.floats()[1], 1.0F);
}

TEST_F(AggregateJobTest, OneUpdateAloneIsNearlyTheNextModel) {
  Stage("ann", RandomModel(1), 100);
  const Model next = models_.OpenModel(*Run())->Load();
  const Model update = RandomModel(1);
  for (std::size_t i = 0; i < next[4].tensor.floats().size(); ++i) {
    ASSERT_NEAR(next[4].tensor.floats()[i], update[4].tensor.floats()[i], 1e-6);
  }
}

TEST_F(AggregateJobTest, DoneTwiceIsDoneOnce) {
  StageThree();
  EXPECT_EQ(*Run(), *Run());
  EXPECT_EQ(NumModels(), 2U);  // the base and the next
}

TEST_F(AggregateJobTest, NamesTheUpdateThatIsMissing) {
  StageThree();
  ASSERT_THAT(RemoveIfExists(PathOf(1)), IsOk());
  EXPECT_THAT(Run(), IsError(ErrorCode::kNotFound, "the update of bob for task train in round 4"));
  EXPECT_EQ(NumModels(), 1U);
}

TEST_F(AggregateJobTest, NamesTheUpdateThatIsTruncated) {
  StageThree();
  const std::string bytes = *ReadFile(PathOf(2));
  ASSERT_THAT(AtomicWrite(PathOf(2), bytes.substr(0, bytes.size() / 2)), IsOk());
  EXPECT_THAT(Run(), IsError(ErrorCode::kInvalidArgument, "the update of cyd for task train"));
}

TEST_F(AggregateJobTest, NoticesASingleFlippedBitInWhatAnEarlierProcessLeft) {
  StageThree();
  spool_ = *Spool::Open(dir_.path() / "spool");
  std::string bytes = *ReadFile(PathOf(0));
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  ASSERT_THAT(AtomicWrite(PathOf(0), bytes), IsOk());
  EXPECT_THAT(Run(), IsError(ErrorCode::kDataLoss, "is damaged: its digest is"));
  EXPECT_EQ(NumModels(), 1U);
}

TEST_F(AggregateJobTest, RefusesAnUpdateMadeForAnotherModel) {
  Model other = RandomModel(1);
  other[3].tensor = Tensor(Shape{2, 3, 4});
  Stage("ann", other, 1);
  EXPECT_THAT(Run(), IsError(ErrorCode::kInvalidArgument, "tensor t3 has shape [2, 3, 4]"));
}

TEST_F(AggregateJobTest, RefusesABaseThatIsNotThere) {
  StageThree();
  action_.base = {"0000"};
  EXPECT_THAT(Run(), IsError(ErrorCode::kNotFound, "cannot aggregate round 4"));
}

TEST_F(AggregateJobTest, RefusesTensorsThatCannotBeAveraged) {
  Model counts;
  counts.push_back({"steps", Tensor(DType::kInt64, {1})});
  action_.base = *models_.Add(counts);
  Stage("ann", counts, 1);
  EXPECT_THAT(Run(), IsError(ErrorCode::kUnimplemented, "tensor steps of the model is int64"));
}

}  // namespace
}  // namespace fx::aggregator
