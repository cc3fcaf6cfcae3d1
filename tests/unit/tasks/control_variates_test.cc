#include "tasks/control_variates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "plan/model_layout.h"
#include "tests/numeric/trainer.h"
#include "tests/support/matchers.h"
#include "tests/support/networks.h"
#include "tests/support/quadratic.h"
#include "tests/support/values_of.h"

namespace fx::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// x, C, n
Model ModelOf(float x, float sum, float samples) {
  Model model;
  model.push_back({"x.weight", Tensor::FromFloats({1}, {{x}})});
  model.push_back({"__control_x.weight", Tensor::FromFloats({1}, {{sum}})});
  model.push_back({"__control_samples", Tensor::FromFloats({}, {{samples}})});
  return model;
}
Model PartOf(float sum, float samples) {
  Model part = ModelOf(0, sum, samples);
  part.erase(part.begin());
  return part;
}

// f = (x - 4)^2, of 3 samples; two steps of rate 0.25 a task.
class ControlledQuadratic : public ::testing::Test {
 protected:
  static std::unique_ptr<TaskRunner> Runner(const OptimizerSpec& optimizer) {
    return WithControlVariates(
        optimizer,
        std::make_unique<QuadraticRunner>(
            Quadratic{.curvature = 2, .optimum = 4, .samples = 3, .steps = 2}, optimizer));
  }
  Status Train(std::uint32_t round = 0) {
    if (auto report = runner_->Train(TrainTask(), InRound(round)); !report) {
      return Fail(report.error());
    }
    return Ok();
  }

  std::unique_ptr<TaskRunner> runner_ = Runner({.learning_rate = 0.25});
};

// 0 -> 2 -> 3: the gradients were -8 and -4.
TEST_F(ControlledQuadratic, WithoutAPartTrainsUncorrectedAndAddsItsMeanGradientToTheSums) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 100, 7)), IsOk());
  ASSERT_THAT(Train(), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(3, 100 - 3 * 6, 7 + 3));
  EXPECT_THAT(Flat(runner_->GetOptimizerState()), ElementsAre(-3 * 6, 3));
}

// c = 100 / 10, c_k = 18 / 3: 4 is added to the gradients. 0 -> 1 -> 1.5, the gradients themselves
// were -8 and -6.
TEST_F(ControlledQuadratic, WithAPartIsCorrectedAndMovesItByWhatItsGradientsWere) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 100, 10)), IsOk());
  ASSERT_THAT(runner_->SetOptimizerState(PartOf(18, 3)), IsOk());
  ASSERT_THAT(Train(), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(1.5F, 100 - 18 - 3 * 7, 10));
  EXPECT_THAT(Flat(runner_->GetOptimizerState()), ElementsAre(-3 * 7, 3));
}

TEST_F(ControlledQuadratic, OtherSamplesThanBeforeMoveTheNumberInTheSums) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 20, 10)), IsOk());
  ASSERT_THAT(runner_->SetOptimizerState(PartOf(2, 1)), IsOk());
  ASSERT_THAT(Train(), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(3, 20 - 2 - 3 * 6, 10 - 1 + 3));
}

TEST_F(ControlledQuadratic, ATaskStartsFromTheStateItIsGiven) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 100, 10)), IsOk());
  ASSERT_THAT(runner_->SetOptimizerState(PartOf(18, 3)), IsOk());
  runner_->ResetOptimizer();
  EXPECT_THAT(runner_->GetOptimizerState(), IsEmpty());
  ASSERT_THAT(Train(), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(3, 100 - 3 * 6, 10 + 3));
}

TEST_F(ControlledQuadratic, TakesTheLearningRateOfTheRound) {
  runner_ = Runner(
      {.learning_rate = 0.5, .schedule = {.type = ScheduleType::kStep, .every = 1, .factor = 0.5}});
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 0, 0)), IsOk());
  ASSERT_THAT(Train(/*round=*/1), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(3, -3 * 6, 3));
}

TEST_F(ControlledQuadratic, ARateOfZeroLeavesEverythingAsItWas) {
  runner_ = Runner({.learning_rate = 0});
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 100, 10)), IsOk());
  ASSERT_THAT(Train(), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(0, 100, 10));
  EXPECT_THAT(Flat(runner_->GetOptimizerState()), ElementsAre(0, 0)) << "and there is a state";
  ASSERT_THAT(runner_->SetOptimizerState(runner_->GetOptimizerState()), IsOk());
  ASSERT_THAT(Train(), IsOk()) << "which can be gone on from";
}

TEST_F(ControlledQuadratic, RefusesWhatNoHonestFederationSends) {
  EXPECT_THAT(runner_->SetParameters(PartOf(1, 1)),
              IsError(ErrorCode::kInvalidArgument, "plan's network and its sums over sites"));
  EXPECT_THAT(runner_->SetParameters(ModelOf(0, 1, -1)),
              IsError(ErrorCode::kInvalidArgument,
                      "__control_samples is -1, expected a number of samples"));
  EXPECT_THAT(runner_->SetOptimizerState(ModelOf(0, 1, 1)),
              IsError(ErrorCode::kInvalidArgument, "part of the sums does not fit"));
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 0, 0)), IsOk());
  ASSERT_THAT(runner_->SetOptimizerState(PartOf(18, 3)), IsOk());
  EXPECT_THAT(Train(), IsError(ErrorCode::kInvalidArgument,
                               "__control_samples is 0, but there is a part of this site in it"));
}

// The native runner.
class ControlledNetwork : public ::testing::Test {
 protected:
  explicit ControlledNetwork(OptimizerSpec optimizer = {.learning_rate = 0.05})
      : network_(MakeNetwork(
            {1, 6, 6},
            {Conv2d("conv", 4, 3, 1), Relu("relu"), Flatten("flatten"), Dense("head", 3)},
            optimizer)) {}
  std::unique_ptr<TaskRunner> Plain(std::int64_t batch = 8) const {
    return RunnerFor(network_, data_, batch);
  }
  // With the plan's model in it, and sums of 0.
  std::unique_ptr<TaskRunner> Controlled(std::int64_t batch = 8) const {
    auto runner = WithControlVariates(network_.optimizer, Plain(batch));
    Model model = InitialModel(network_);
    for (const TensorSpec& spec : ControlLayout(LayoutOf(model))) {
      model.push_back({.name = spec.name, .tensor = Tensor(spec.shape)});
    }
    FX_CHECK(runner->SetParameters(model).has_value());
    return runner;
  }
  // Of all trained parameters, all values the same.
  Model CorrectionOf(float value) const {
    Model correction;
    for (const TensorSpec& spec : ParameterLayout(network_)) {
      correction.push_back({.name = spec.name, .tensor = Tensor(spec.shape)});
      std::ranges::fill(correction.back().tensor.floats(), value);
    }
    return correction;
  }

  const NetworkSpec network_;
  const MemoryLoader data_{RandomSet({1, 6, 6}, 30, 3, 1)};
};

TEST_F(ControlledNetwork, AloneTrainsAsWithoutControlVariatesBitForBit) {
  const auto controlled = Controlled();
  const auto plain = Plain();
  for (const std::uint32_t round : {0U, 1U, 2U}) {
    ASSERT_THAT(controlled->Train(TrainTask(2), InRound(round)), IsOk());
    ASSERT_THAT(plain->Train(TrainTask(2), InRound(round)), IsOk());
    const Model model = Clone(controlled->GetParameters());
    const std::vector<float> with = Flat(model), without = Flat(plain->GetParameters());
    EXPECT_TRUE(std::equal(without.begin(), without.end(), with.begin())) << "round " << round;
    ASSERT_THAT(controlled->SetParameters(model), IsOk());
    ASSERT_THAT(controlled->SetOptimizerState(Clone(controlled->GetOptimizerState())), IsOk());
  }
}

TEST_F(ControlledNetwork, AfterOneStepOnAllSamplesThePartIsTheGradient) {
  const auto controlled = Controlled(/*batch=*/30);
  ASSERT_THAT(controlled->Train(TrainTask(), InRound(0)), IsOk());
  std::vector<float> part = Flat(controlled->GetOptimizerState());
  EXPECT_EQ(part.back(), 30.0F);
  part.pop_back();
  std::vector<float> expected = Flat(NativeGradient(network_, data_));
  for (float& value : expected) value *= 30;
  EXPECT_LT(RelativeError(part, expected), 1e-4);
}

TEST_F(ControlledNetwork, StepsAreTheBatchesOfAllEpochs) {
  const auto report = Plain(/*batch=*/8)->Train(TrainTask(3), InRound(0));
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->steps, 3 * 4);
}

// Without a gradient to speak of, a step is the rate times the correction.
class CorrectedNetwork : public ControlledNetwork {
 protected:
  CorrectedNetwork() : ControlledNetwork({.learning_rate = 0.5, .clip_value = 1e-12}) {}
};

TEST_F(CorrectedNetwork, EachStepGoesByTheCorrectionTooWhichIsNotClipped) {
  const auto runner = Plain(/*batch=*/15);
  const std::vector<float> before = Flat(runner->GetParameters());
  const Model correction = CorrectionOf(0.25F);
  TaskContext context = InRound(0);
  context.correction = &correction;
  ASSERT_THAT(runner->Train(TrainTask(), context), IsOk());
  const std::vector<float> after = Flat(runner->GetParameters());
  for (std::size_t i = 0; i < after.size(); ++i) {
    ASSERT_NEAR(before[i] - after[i], 2 * 0.5 * 0.25, 1e-6) << i;
  }
}

TEST_F(CorrectedNetwork, ACorrectionIsThatOfItsTaskOnly) {
  const auto runner = Plain(), other = Plain();
  const Model correction = CorrectionOf(0.25F);
  TaskContext context = InRound(0);
  context.correction = &correction;
  ASSERT_THAT(runner->Train(TrainTask(), context), IsOk());
  ASSERT_THAT(other->SetParameters(Clone(runner->GetParameters())), IsOk());
  ASSERT_THAT(runner->Train(TrainTask(), InRound(1)), IsOk());
  ASSERT_THAT(other->Train(TrainTask(), InRound(1)), IsOk());
  EXPECT_EQ(Flat(runner->GetParameters()), Flat(other->GetParameters()));
}

}  // namespace
}  // namespace fx::test
