#include "tasks/shared_optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "plan/model_layout.h"
#include "tests/numeric/trainer.h"
#include "tests/support/matchers.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

using ::testing::Each;

constexpr std::int64_t kClasses = 3;
const Shape kInput = {1, 6, 6};

Plan PlanWith(const OptimizerSpec& optimizer) {
  Plan plan;
  plan.collaborator.opt_treatment = OptTreatment::kContinueGlobal;
  plan.task_runner = MakeNetwork(kInput,
                                 {Conv2d("conv", 4, 3, 1), Relu("relu"), Flatten("flatten"),
                                  Dropout("drop", 0.2), Dense("head", kClasses)},
                                 optimizer);
  return plan;
}

NamedTensor& Find(Model& model, const std::string& name) {
  const auto found = std::ranges::find(model, name, &NamedTensor::name);
  FX_CHECK(found != model.end());
  return *found;
}

class SharedOptimizerTest : public ::testing::TestWithParam<OptimizerSpec> {
 protected:
  std::unique_ptr<TaskRunner> Shared() const {
    return ShareOptimizer(plan_, RunnerFor(plan_.task_runner, data_, 8));
  }
  // What a site sends that was handed `model`, in a process of its own.
  Model Trained(const Model& model, std::uint32_t round) const {
    const auto runner = Shared();
    FX_CHECK(runner->SetParameters(model).has_value());
    runner->ResetOptimizer();
    FX_CHECK(runner->Train(TrainTask(2), InRound(round)).has_value());
    return Clone(runner->GetParameters());
  }
  static void ExpectSameBytes(const Model& one, const Model& other) {
    ASSERT_EQ(LayoutOf(one), LayoutOf(other));
    for (std::size_t i = 0; i < one.size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(one[i].tensor.bytes(), other[i].tensor.bytes()))
          << one[i].name;
    }
  }

  const Plan plan_ = PlanWith(GetParam());
  const MemoryLoader data_{RandomSet(kInput, 30, kClasses, 1)};
};

TEST_P(SharedOptimizerTest, TwoRoundsAreThoseOfAnOptimizerThatWasNeverInterrupted) {
  const Model shared = Trained(Trained(InitialModel(plan_), 0), 1);
  const auto uninterrupted = RunnerFor(plan_.task_runner, data_, 8);
  for (const std::uint32_t round : {0U, 1U}) {
    ASSERT_THAT(uninterrupted->Train(TrainTask(2), InRound(round)), IsOk());
  }
  Model expected = uninterrupted->GetParameters();
  for (NamedTensor& kept : uninterrupted->GetOptimizerState()) {
    expected.push_back({"__opt_state_" + kept.name, std::move(kept.tensor)});
  }
  ExpectSameBytes(shared, expected);
}

TEST_P(SharedOptimizerTest, AFederationStartsWithAnOptimizerThatHasNotStepped) {
  const Model initial = InitialModel(plan_);
  EXPECT_EQ(LayoutOf(initial), ModelLayout(plan_));
  const std::size_t parameters = ParameterLayout(plan_.task_runner).size();
  for (std::size_t i = parameters; i < initial.size(); ++i) {
    EXPECT_THAT(initial[i].tensor.floats(), Each(0.0F)) << initial[i].name;
  }
  const auto runner = Shared();
  EXPECT_EQ(runner->layout(), ModelLayout(plan_));
  ASSERT_THAT(runner->SetParameters(initial), IsOk());
  ExpectSameBytes(runner->GetParameters(), initial);
}

TEST_P(SharedOptimizerTest, WhatValidatesIgnoresIt) {
  Model trained = Trained(InitialModel(plan_), 0);
  const auto runner = Shared();
  ASSERT_THAT(runner->SetParameters(trained), IsOk());
  const double loss = runner->Validate(ValidateTask(), InRound(1)).value().metrics[1].value;
  for (std::size_t i = ParameterLayout(plan_.task_runner).size(); i < trained.size(); ++i) {
    for (float& value : trained[i].tensor.floats()) value = 2 * value + 1;
  }
  ASSERT_THAT(runner->SetParameters(trained), IsOk());
  EXPECT_EQ(runner->Validate(ValidateTask(), InRound(1)).value().metrics[1].value, loss);
}

TEST_P(SharedOptimizerTest, TrainingGoesOnFromWhatTheModelBrings) {
  const Model first = Trained(InitialModel(plan_), 0);
  Model forgotten = Clone(first);
  const std::size_t parameters = ParameterLayout(plan_.task_runner).size();
  for (std::size_t i = parameters; i < forgotten.size(); ++i) {
    std::ranges::fill(forgotten[i].tensor.floats(), 0.0F);
  }
  const Model fresh = Trained(forgotten, 1), continued = Trained(first, 1);
  const double apart = RelativeError(fresh[0].tensor.floats(), continued[0].tensor.floats());
  const bool keeps_something = forgotten.size() > parameters;
  EXPECT_EQ(apart > 1e-4, keeps_something) << apart;
}

constexpr std::array kNames = {"Sgd", "Momentum", "Adam", "AdamW", "AdaGrad", "RmsProp"};

INSTANTIATE_TEST_SUITE_P(
    Optimizers, SharedOptimizerTest,
    ::testing::Values(OptimizerSpec{.learning_rate = 0.05},
                      OptimizerSpec{.learning_rate = 0.05, .momentum = 0.9},
                      OptimizerSpec{.type = OptimizerType::kAdam, .learning_rate = 0.01},
                      OptimizerSpec{.type = OptimizerType::kAdamW, .learning_rate = 0.01},
                      OptimizerSpec{.type = OptimizerType::kAdaGrad, .learning_rate = 0.01},
                      OptimizerSpec{
                          .type = OptimizerType::kRmsProp, .learning_rate = 0.01, .momentum = 0.9}),
    [](const auto& tested) { return kNames.at(tested.index); });

class SharedAdam : public ::testing::Test {
 protected:
  const Plan plan_ = PlanWith({.type = OptimizerType::kAdam});
  const MemoryLoader data_{RandomSet(kInput, 30, kClasses, 1)};
  const std::unique_ptr<TaskRunner> runner_ =
      ShareOptimizer(plan_, RunnerFor(plan_.task_runner, data_, 8));
};

TEST_F(SharedAdam, GoesOnFromAnAverageOfStepsThatIsNotWhole) {
  Model model = InitialModel(plan_);
  Find(model, "__opt_state_adam.step").tensor.floats().front() = 2.5F;
  ASSERT_THAT(runner_->SetParameters(model), IsOk());
  ASSERT_THAT(runner_->Train(TrainTask(1), InRound(0)), IsOk());
  Model trained = runner_->GetParameters();
  EXPECT_EQ(Find(trained, "__opt_state_adam.step").tensor.floats().front(), 6.5F);
}

TEST_F(SharedAdam, RefusesSquaresBelowZero) {
  Model model = InitialModel(plan_);
  Find(model, "__opt_state_head.bias.v").tensor.floats()[1] = -0.25F;
  EXPECT_THAT(runner_->SetParameters(model),
              IsError(ErrorCode::kInvalidArgument,
                      "head.bias.v has a value of -0.25, but squares are not below 0"));
  Find(model, "__opt_state_head.bias.v").tensor.floats()[1] =
      std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(runner_->SetParameters(model), IsError(ErrorCode::kInvalidArgument, "head.bias.v"));
}

TEST_F(SharedAdam, RefusesACountOfStepsThatIsNone) {
  Model model = InitialModel(plan_);
  for (const float steps : {-1.0F, std::numeric_limits<float>::infinity()}) {
    Find(model, "__opt_state_adam.step").tensor.floats().front() = steps;
    EXPECT_THAT(runner_->SetParameters(model),
                IsError(ErrorCode::kInvalidArgument, "expected a number of steps"));
  }
}

TEST_F(SharedAdam, RefusesAModelWithoutItsState) {
  EXPECT_THAT(runner_->SetParameters(InitialModel(plan_.task_runner)),
              IsError(ErrorCode::kInvalidArgument, "plan's network and optimizer"));
}

TEST_F(SharedAdam, HasNoOtherState) {
  ASSERT_THAT(runner_->Train(TrainTask(1), InRound(0)), IsOk());
  EXPECT_TRUE(runner_->GetOptimizerState().empty());
  Model state;
  state.push_back({"momentum", Tensor(Shape{1})});
  EXPECT_THAT(runner_->SetOptimizerState(state),
              IsError(ErrorCode::kInvalidArgument, "is a part of the model"));
}

}  // namespace
}  // namespace fx::test
