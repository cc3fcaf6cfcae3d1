// Every aggregation function over staged files: the same bytes whatever the threads, and what needs
// sums over whole models.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "aggregator/functions/registry.h"
#include "tests/unit/aggregator/job_fixture.h"

namespace fx::aggregator {
namespace {

using fx::test::IsOk;
using test::RandomModel;

class RobustJobTest : public test::JobFixture {
 protected:
  void Use(std::string function, Settings settings = {}) {
    how_.function = {.function = std::move(function), .settings = std::move(settings)};
    action_.first = true;
  }
  void StageFive() {
    StageThree();
    Stage("dan", RandomModel(4), 50);
    Stage("eve", RandomModel(5), 50);
  }
};

TEST_F(RobustJobTest, BytesDoNotDependOnThreads) {
  StageFive();
  for (const FunctionRow& row : AggregationFunctions()) {
    Use(std::string(row.name));
    const Result<ModelId> one = Run(1);
    ASSERT_THAT(one, IsOk()) << row.name;
    EXPECT_EQ(*Run(7), *one) << row.name;
  }
}

// Distances are over all tensors: each attacker looks honest in most of them.
TEST_F(RobustJobTest, KrumLooksAtWholeModels) {
  const auto lifted = [](std::uint64_t seed, std::size_t tensor) {
    Model model = RandomModel(seed);
    for (float& x : model[tensor].tensor.floats()) x += 1e6F;
    return model;
  };
  Stage("ann", lifted(1, 0), 1);
  Stage("bob", RandomModel(2), 1);
  Stage("cyd", lifted(3, 4), 1);
  for (std::uint64_t seed = 4; seed < 8; ++seed) {
    Stage("site" + std::to_string(seed), RandomModel(seed), 1);
  }
  Use("Krum", {{"attackers", 2}});
  const Result<ModelId> next = Run();
  ASSERT_THAT(next, IsOk());
  const ModelId ids[] = {*models_.Add(RandomModel(2)), *models_.Add(RandomModel(4)),
                         *models_.Add(RandomModel(5)), *models_.Add(RandomModel(6)),
                         *models_.Add(RandomModel(7))};
  EXPECT_TRUE(std::ranges::find(ids, *next) != std::end(ids)) << "no honest site's model";
}

TEST_F(RobustJobTest, TheMedianOfFilesIsThatOfTheirElements) {
  StageThree();
  Use("Median");
  const Model next = models_.OpenModel(*Run())->Load();
  const Model updates[] = {RandomModel(1), RandomModel(2), RandomModel(3)};
  for (std::size_t t = 0; t < next.size(); ++t) {
    for (std::size_t i = 0; i < next[t].tensor.floats().size(); ++i) {
      float values[] = {updates[0][t].tensor.floats()[i], updates[1][t].tensor.floats()[i],
                        updates[2][t].tensor.floats()[i]};
      std::ranges::sort(values);
      ASSERT_EQ(next[t].tensor.floats()[i], values[1]) << next[t].name << " " << i;
    }
  }
}

// An optimizer's squares are no part of the distance between models.
TEST_F(RobustJobTest, AnOptimizersStateIsNoPartOfDistances) {
  const auto model = [](float weight, float state) {
    Model made;
    made.push_back({"__opt_state_w.v", Tensor::FromFloats({1}, std::array{state})});
    made.push_back({"w", Tensor::FromFloats({1}, std::array{weight})});
    return made;
  };
  action_.base = *models_.Add(model(0, 0));
  Stage("ann", model(1, 1e6F), 1);
  Stage("bob", model(2, 0), 1);
  Stage("cyd", model(9, 0), 1);
  Use("Krum");
  EXPECT_EQ(*Run(), *models_.Add(model(1, 1e6F)));
}

}  // namespace
}  // namespace fx::aggregator
