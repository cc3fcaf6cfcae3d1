#include "plan/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fx {
namespace {

const Path kTemplate = Path(FX_SOURCE_DIR) / "workspace_templates/cnn_mnist/plan";

TEST(LoadPlan, ReadsTheTemplate) {
  const Result<Plan> plan = LoadPlan(kTemplate / "plan.yaml", kTemplate / "cols.yaml");
  ASSERT_TRUE(plan) << plan.error().Render();
  EXPECT_EQ(plan->aggregator.rounds_to_train, 10U);
  EXPECT_EQ(plan->data_loader.type, "IdxDataLoader");
  EXPECT_EQ(plan->task_runner.layers.size(), 10U);
  EXPECT_EQ(plan->task_runner.num_classes(), 10);
  EXPECT_EQ(ToString(ParameterLayout(plan->task_runner)[4].shape), "[128, 1568]");
  EXPECT_EQ(plan->tasks.size(), 3U);
}

}  // namespace
}  // namespace fx
