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

}  // namespace
}  // namespace fx
