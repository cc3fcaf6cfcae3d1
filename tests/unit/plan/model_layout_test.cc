#include "plan/model_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fx {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Layout kParameters = {{.name = "fc.weight", .shape = {3, 7}},
                            {.name = "norm.running_mean", .shape = {3}},
                            {.name = "fc.bias", .shape = {3}}};

std::vector<std::string> Words(const Layout& layout) {
  std::vector<std::string> words;
  for (const TensorSpec& spec : layout) words.push_back(spec.name + " " + ToString(spec.shape));
  return words;
}

std::vector<std::string> KeptBy(const OptimizerSpec& optimizer) {
  return Words(OptimizerStateLayout(optimizer, kParameters));
}

TEST(OptimizerStateLayout, IsWhatTheFormulaKeepsOfEachTrainedParameter) {
  EXPECT_THAT(KeptBy({.momentum = 0.9}),
              ElementsAre("fc.weight.momentum [3, 7]", "fc.bias.momentum [3]"));
  EXPECT_THAT(KeptBy({.type = OptimizerType::kAdaGrad}),
              ElementsAre("fc.weight.sum [3, 7]", "fc.bias.sum [3]"));
  EXPECT_THAT(KeptBy({.type = OptimizerType::kRmsProp}),
              ElementsAre("fc.weight.v [3, 7]", "fc.bias.v [3]"));
  EXPECT_THAT(KeptBy({.type = OptimizerType::kRmsProp, .momentum = 0.9}),
              ElementsAre("fc.weight.v [3, 7]", "fc.bias.v [3]", "fc.weight.momentum [3, 7]",
                          "fc.bias.momentum [3]"));
}

TEST(OptimizerStateLayout, EndsWithTheStepsOfAdam) {
  for (const OptimizerType type : {OptimizerType::kAdam, OptimizerType::kAdamW}) {
    EXPECT_THAT(KeptBy({.type = type}),
                ElementsAre("fc.weight.m [3, 7]", "fc.bias.m [3]", "fc.weight.v [3, 7]",
                            "fc.bias.v [3]", "adam.step []"));
  }
}

TEST(OptimizerStateLayout, IsEmptyWhereNothingIsKept) {
  EXPECT_THAT(KeptBy({}), IsEmpty());
  EXPECT_THAT(OptimizerStateLayout({.type = OptimizerType::kAdam}, {}), IsEmpty());
}

Plan PlanWith(OptTreatment treatment) {
  Plan plan;
  plan.collaborator.opt_treatment = treatment;
  LayerSpec dense;
  dense.type = LayerType::kDense;
  dense.name = "fc";
  dense.units = 3;
  plan.task_runner.input_shape = {7};
  plan.task_runner.layers = {dense};
  plan.task_runner.optimizer = {.momentum = 0.9};
  EXPECT_TRUE(InferShapes(plan.task_runner).has_value());
  return plan;
}

TEST(ModelLayout, HasTheOptimizersStateOnlyIfThatIsAveragedToo) {
  for (const OptTreatment treatment : {OptTreatment::kReset, OptTreatment::kContinueLocal}) {
    EXPECT_THAT(Words(ModelLayout(PlanWith(treatment))),
                ElementsAre("fc.weight [3, 7]", "fc.bias [3]"));
  }
  EXPECT_THAT(
      Words(ModelLayout(PlanWith(OptTreatment::kContinueGlobal))),
      ElementsAre("fc.weight [3, 7]", "fc.bias [3]", "__opt_state_fc.weight.momentum [3, 7]",
                  "__opt_state_fc.bias.momentum [3]"));
}

TEST(ControlLayout, HasASumForEachTrainedParameterAndTheSamplesBehindThem) {
  EXPECT_THAT(
      Words(ControlLayout(kParameters)),
      ElementsAre("__control_fc.weight [3, 7]", "__control_fc.bias [3]", "__control_samples []"));
  EXPECT_THAT(ControlLayout({}), IsEmpty());
}

TEST(ModelLayout, HasTheSumsOfControlVariatesIfATaskInUseWorksWithThem) {
  Plan plan = PlanWith(OptTreatment::kReset);
  TaskSpec& train = plan.tasks[{"train"}];
  train.aggregation_type.control_variates = true;
  EXPECT_FALSE(UsesControlVariates(plan)) << "in no group";
  TaskGroup group;
  group.tasks = {{"train"}};
  plan.task_groups = {group};
  EXPECT_TRUE(UsesControlVariates(plan));
  EXPECT_THAT(Words(ModelLayout(plan)),
              ElementsAre("fc.weight [3, 7]", "fc.bias [3]", "__control_fc.weight [3, 7]",
                          "__control_fc.bias [3]", "__control_samples []"));
  EXPECT_TRUE(HasSums(plan));
  train.aggregation_type.control_variates = false;
  EXPECT_FALSE(UsesControlVariates(plan));
  EXPECT_FALSE(HasSums(plan));
}

TEST(CurvatureLayout, HasTwoSumsForEachTrainedParameter) {
  EXPECT_THAT(Words(CurvatureLayout(kParameters)),
              ElementsAre("__curvature_fc.weight_u [3, 7]", "__curvature_fc.bias_u [3]",
                          "__curvature_fc.weight_v [3, 7]", "__curvature_fc.bias_v [3]"));
}

TEST(ModelLayout, HasTheSumsOfCurvaturesIfATaskInUseWorksWithThem) {
  Plan plan = PlanWith(OptTreatment::kContinueLocal);
  plan.tasks[{"train"}].aggregation_type.curvature = true;
  EXPECT_FALSE(HasSums(plan)) << "in no group";
  TaskGroup group;
  group.tasks = {{"train"}};
  plan.task_groups = {group};
  EXPECT_TRUE(UsesCurvature(plan));
  EXPECT_TRUE(HasSums(plan));
  EXPECT_FALSE(UsesControlVariates(plan));
  EXPECT_THAT(Words(ModelLayout(plan)),
              ElementsAre("fc.weight [3, 7]", "fc.bias [3]", "__curvature_fc.weight_u [3, 7]",
                          "__curvature_fc.bias_u [3]", "__curvature_fc.weight_v [3, 7]",
                          "__curvature_fc.bias_v [3]"));
}

}  // namespace
}  // namespace fx
