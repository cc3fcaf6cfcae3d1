#include "tasks/curvature.h"

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

TaskSpec HeldTask(double lambda) {
  TaskSpec task = TrainTask();
  task.aggregation_type = {
      .function = "FedCurv", .settings = {{"lambda", lambda}}, .curvature = true};
  return task;
}

// x, U, V
Model ModelOf(float x, float u, float v) {
  Model model;
  model.push_back({"x.weight", Tensor::FromFloats({1}, {{x}})});
  model.push_back({"__curvature_x.weight_u", Tensor::FromFloats({1}, {{u}})});
  model.push_back({"__curvature_x.weight_v", Tensor::FromFloats({1}, {{v}})});
  return model;
}
Model PartOf(float u, float v) {
  Model part = ModelOf(0, u, v);
  part.erase(part.begin());
  return part;
}

// f = (x - 4)^2; one step of rate 0.25 from 0.
class CurvedQuadratic : public ::testing::Test {
 protected:
  static std::unique_ptr<TaskRunner> Runner(double curvature = 2) {
    return WithCurvature(
        OptTreatment::kReset,
        std::make_unique<QuadraticRunner>(
            Quadratic{.curvature = curvature, .optimum = 4, .samples = 3, .steps = 1},
            OptimizerSpec{.learning_rate = 0.25}));
  }

  std::unique_ptr<TaskRunner> runner_ = Runner();
};

// The others have curvature 3, and were at 5: 2 lambda 3 (x - 5) is added to 2 (x - 4).
TEST_F(CurvedQuadratic, IsHeldByAllOthersIfItHasNoPartInTheSums) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 3, 15)), IsOk());
  ASSERT_THAT(runner_->Train(HeldTask(0.1), InRound(0)), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(2.75F, 5, 15 + 2 * 2.75F));
  EXPECT_THAT(Flat(runner_->GetOptimizerState()), ElementsAre(2, 2 * 2.75F));
}

TEST_F(CurvedQuadratic, IsNotHeldByItsOwnPartWhichItReplaces) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 3 + 7, 15 - 1)), IsOk());
  ASSERT_THAT(runner_->SetOptimizerState(PartOf(7, -1)), IsOk());
  ASSERT_THAT(runner_->Train(HeldTask(0.1), InRound(0)), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(2.75F, 5, 15 + 2 * 2.75F));
  EXPECT_THAT(Flat(runner_->GetOptimizerState()), ElementsAre(2, 2 * 2.75F));
}

TEST_F(CurvedQuadratic, IsNotHeldWithLambdaZeroButKeepsTheSums) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 3, 15)), IsOk());
  ASSERT_THAT(runner_->Train(HeldTask(0), InRound(0)), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(2, 5, 15 + 2 * 2));
}

TEST_F(CurvedQuadratic, IsNotHeldByASumThatRoundingMadeNegative) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 7, 9)), IsOk());
  ASSERT_THAT(runner_->SetOptimizerState(PartOf(7.000001F, 8)), IsOk());
  ASSERT_THAT(runner_->Train(HeldTask(1e6), InRound(0)), IsOk());
  EXPECT_EQ(Flat(runner_->GetParameters())[0], 2);
}

TEST_F(CurvedQuadratic, ATaskStartsFromTheStateItIsGiven) {
  ASSERT_THAT(runner_->SetParameters(ModelOf(0, 3, 15)), IsOk());
  ASSERT_THAT(runner_->SetOptimizerState(PartOf(7, -1)), IsOk());
  runner_->ResetOptimizer();
  EXPECT_THAT(runner_->GetOptimizerState(), IsEmpty());
  ASSERT_THAT(runner_->Train(HeldTask(0.1), InRound(0)), IsOk());
  EXPECT_THAT(Flat(runner_->GetParameters()), ElementsAre(2.75F, 5, 15 + 2 * 2.75F));
}

TEST_F(CurvedQuadratic, RefusesOtherTensorsThanThePlanHas) {
  EXPECT_THAT(runner_->SetParameters(PartOf(1, 1)),
              IsError(ErrorCode::kInvalidArgument, "plan's network and its sums over sites"));
  Model half = PartOf(1, 1);
  half.pop_back();
  EXPECT_THAT(runner_->SetOptimizerState(half),
              IsError(ErrorCode::kInvalidArgument, "part of the sums does not fit"));
}

TEST_F(CurvedQuadratic, SendsNoSumThatIsNotFinite) {
  runner_ = Runner(/*curvature=*/3e38);
  ASSERT_THAT(runner_->SetParameters(ModelOf(4, 3e38F, 0)), IsOk());
  EXPECT_THAT(
      runner_->Train(HeldTask(0), InRound(0)),
      IsError(ErrorCode::kOutOfRange, "__curvature_x.weight_u holds values that are not finite"));
}

// The native runner.
class CurvedNetwork : public ::testing::Test {
 protected:
  static NetworkSpec NetworkWith(const OptimizerSpec& optimizer) {
    return MakeNetwork({1, 6, 6},
                       {Conv2d("conv", 4, 3, 1),
                        {.type = LayerType::kBatchNorm, .name = "norm"},
                        Relu("relu"),
                        Flatten("flatten"),
                        Dropout("drop", 0.2),
                        Dense("head", 3)},
                       optimizer);
  }
  std::unique_ptr<TaskRunner> Plain() const { return RunnerFor(network_, data_, 8); }
  // With the plan's model in it, and sums of this value.
  std::unique_ptr<TaskRunner> Curved(float sums, OptTreatment treatment) const {
    auto runner = WithCurvature(treatment, Plain());
    Model model = InitialModel(network_);
    for (const TensorSpec& spec : CurvatureLayout(LayoutOf(model))) {
      model.push_back({.name = spec.name, .tensor = Tensor(spec.shape)});
      std::ranges::fill(model.back().tensor.floats(), sums);
    }
    FX_CHECK(runner->SetParameters(model).has_value());
    return runner;
  }
  void ExpectToTrainAsPlain(TaskRunner& curved, double lambda) const {
    const auto plain = Plain();
    for (const std::uint32_t round : {0U, 1U, 2U}) {
      ASSERT_THAT(curved.Train(HeldTask(lambda), InRound(round)), IsOk());
      ASSERT_THAT(plain->Train(TrainTask(), InRound(round)), IsOk());
      const Model model = Clone(curved.GetParameters());
      const std::vector<float> with = Flat(model), without = Flat(plain->GetParameters());
      EXPECT_TRUE(std::equal(without.begin(), without.end(), with.begin())) << "round " << round;
      ASSERT_THAT(curved.SetParameters(model), IsOk());
      ASSERT_THAT(curved.SetOptimizerState(Clone(curved.GetOptimizerState())), IsOk());
    }
  }

  const NetworkSpec network_ = NetworkWith({.type = OptimizerType::kAdam, .learning_rate = 0.01});
  const MemoryLoader data_{RandomSet({1, 6, 6}, 30, 3, 1)};
};

TEST_F(CurvedNetwork, WithLambdaZeroTrainsAsWithoutCurvatureBitForBit) {
  ExpectToTrainAsPlain(*Curved(3, OptTreatment::kContinueLocal), 0);
}

TEST_F(CurvedNetwork, AloneTrainsAsWithoutCurvatureBitForBit) {
  ExpectToTrainAsPlain(*Curved(0, OptTreatment::kContinueLocal), 100);
}

TEST_F(CurvedNetwork, KeepsTheOptimizersStateOnlyIfThatIsToContinue) {
  const Layout sums = CurvatureLayout(ParameterLayout(network_));
  for (const OptTreatment treatment : {OptTreatment::kReset, OptTreatment::kContinueLocal}) {
    const auto runner = Curved(0, treatment);
    ASSERT_THAT(runner->Train(HeldTask(1), InRound(0)), IsOk());
    Layout expected = sums;
    if (treatment == OptTreatment::kContinueLocal) {
      std::ranges::copy(OptimizerStateLayout(network_.optimizer, ParameterLayout(network_)),
                        std::back_inserter(expected));
    }
    EXPECT_EQ(LayoutOf(runner->GetOptimizerState()), expected);
  }
}

TEST_F(CurvedNetwork, ThePartIsTheFisherInformationOfWhereItEnded) {
  const auto curved = Curved(0, OptTreatment::kReset);
  ASSERT_THAT(curved->Train(HeldTask(1), InRound(0)), IsOk());
  const auto plain = Plain();
  ASSERT_THAT(plain->Train(TrainTask(), InRound(0)), IsOk());
  std::vector<float> expected = Flat(plain->Fisher(TrainTask(), InRound(0)).value());
  std::vector<float> part = Flat(curved->GetOptimizerState());
  part.resize(expected.size());
  EXPECT_EQ(part, expected);
  EXPECT_GT(*std::ranges::max_element(part), 0);
}

// A pull that is far larger than the data's gradients.
TEST_F(CurvedNetwork, ThePenaltyJoinsTheGradientsBeforeTheyAreClipped) {
  const NetworkSpec network =
      MakeNetwork({4}, {Dense("head", 3)}, {.learning_rate = 0.5, .clip_value = 0.125});
  const MemoryLoader data{RandomSet({4}, 30, 3, 1)};
  const auto runner = RunnerFor(network, data, 30);
  const std::vector<float> before = Flat(runner->GetParameters());
  QuadraticPenalty penalty;
  for (const TensorSpec& spec : ParameterLayout(network)) {
    for (Model* model : {&penalty.slope, &penalty.offset}) {
      model->push_back({.name = spec.name, .tensor = Tensor(spec.shape)});
    }
    std::ranges::fill(penalty.slope.back().tensor.floats(), 1000.0F);
    std::ranges::fill(penalty.offset.back().tensor.floats(), 1000.0F * 50);
  }
  TaskContext context = InRound(0);
  context.penalty = &penalty;
  ASSERT_THAT(runner->Train(TrainTask(), context), IsOk());
  const std::vector<float> after = Flat(runner->GetParameters());
  for (std::size_t i = 0; i < after.size(); ++i) {
    ASSERT_NEAR(after[i] - before[i], 0.5 * 0.125, 1e-6) << i << " is pulled towards 50";
  }
}

TEST_F(CurvedNetwork, APenaltyIsThatOfItsTaskOnly) {
  const auto runner = Curved(5, OptTreatment::kReset), plain = Curved(5, OptTreatment::kReset);
  ASSERT_THAT(runner->Train(HeldTask(1), InRound(0)), IsOk());
  const Model model = Clone(runner->GetParameters());
  ASSERT_THAT(plain->SetParameters(model), IsOk());
  for (TaskRunner* one : {runner.get(), plain.get()}) {
    one->ResetOptimizer();
    ASSERT_THAT(one->Train(HeldTask(0), InRound(1)), IsOk());
  }
  EXPECT_EQ(Flat(runner->GetParameters()), Flat(plain->GetParameters()));
}

}  // namespace
}  // namespace fx::test
