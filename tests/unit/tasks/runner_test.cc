#include "tasks/onednn/runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <thread>

#include "tests/numeric/trainer.h"
#include "tests/support/matchers.h"
#include "tests/support/networks.h"
#include "tests/support/values_of.h"

namespace fx::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kClasses = 3;
const Shape kInput = {1, 6, 6};

NetworkSpec SmallNetwork(OptimizerSpec optimizer = {.learning_rate = 0.05, .momentum = 0.9}) {
  return MakeNetwork(kInput,
                     {Conv2d("conv", 4, 3, 1), Relu("relu"), MaxPool("pool", 2), Flatten("flatten"),
                      Dense("dense", 16), Dropout("drop", 0.2), Dense("head", kClasses)},
                     optimizer);
}

class Runner : public ::testing::Test {
 protected:
  std::vector<float> TrainedBy(const std::string& collaborator, std::uint32_t round = 0) const {
    const auto runner = RunnerFor(network_, data_, 8);
    FX_CHECK(runner->Train(TrainTask(2), InRound(round, collaborator)).has_value());
    return Flat(runner->GetParameters());
  }

  const NetworkSpec network_ = SmallNetwork();
  const MemoryLoader data_{RandomSet(kInput, 30, kClasses, 1), RandomSet(kInput, 20, kClasses, 2)};
};

TEST_F(Runner, TrainingTwiceGivesTheSameBytes) {
  EXPECT_EQ(TrainedBy("one"), TrainedBy("one"));
}

TEST_F(Runner, DrawsDifferentlyForAnotherCollaboratorOrRound) {
  EXPECT_NE(TrainedBy("one"), TrainedBy("two"));
  EXPECT_NE(TrainedBy("one", 0), TrainedBy("one", 1));
}

TEST_F(Runner, MayBeMadeOnOneThreadAndTrainOnAnother) {
  const auto runner = RunnerFor(network_, data_, 8);
  std::thread([&] { EXPECT_THAT(runner->Train(TrainTask(2), InRound(0)), IsOk()); }).join();
  EXPECT_EQ(Flat(runner->GetParameters()), TrainedBy("one"));
}

TEST_F(Runner, TrainsOnTwoThreadsToTheSameBytesEachTime) {
  NetworkSpec network = network_;
  network.threads = 2;
  std::vector<float> first;
  for (int i = 0; i < 2; ++i) {
    const auto runner = RunnerFor(network, data_, 8);
    ASSERT_THAT(runner->Train(TrainTask(), InRound(0)), IsOk());
    if (i == 0) first = Flat(runner->GetParameters());
    EXPECT_EQ(Flat(runner->GetParameters()), first);
  }
}

TEST_F(Runner, LearnsWhatCanBeLearnt) {
  const auto runner = RunnerFor(network_, data_, 8);
  const double before = runner->Validate(ValidateTask(), {}).value().metrics[1].value;
  ASSERT_THAT(runner->Train(TrainTask(10), InRound(0)), IsOk());
  EXPECT_LT(runner->Validate(ValidateTask(), {}).value().metrics[1].value, before / 2);
}

TEST_F(Runner, ParametersComeBackAsTheyWereSet) {
  const auto runner = RunnerFor(network_, data_, 8);
  EXPECT_EQ(Flat(runner->GetParameters()), Flat(InitialModel(network_)));
  EXPECT_EQ(LayoutOf(runner->GetParameters()), ParameterLayout(network_));
}

TEST_F(Runner, ABatchLargerThanTheDataIsTheWholeData) {
  TaskSpec task = TrainTask();
  task.batch_size = 1000;
  const auto large = RunnerFor(network_, data_, 8);
  const auto exact = RunnerFor(network_, data_, 30);
  ASSERT_THAT(large->Train(task, InRound(0)), IsOk());
  ASSERT_THAT(exact->Train(TrainTask(), InRound(0)), IsOk());
  EXPECT_EQ(Flat(large->GetParameters()), Flat(exact->GetParameters()));
}

TEST_F(Runner, ReportsTheMetricsAskedForInTheirOrder) {
  const auto runner = RunnerFor(network_, data_, 8);
  TaskSpec task = ValidateTask();
  task.metrics = {"loss", "acc", "accuracy"};
  const TaskReport report = runner->Validate(task, {}).value();
  EXPECT_EQ(report.num_samples, 20);
  ASSERT_EQ(report.metrics.size(), 3U);
  EXPECT_EQ(report.metrics[0].name, "loss");
  EXPECT_EQ(report.metrics[1].name, "acc");
  EXPECT_EQ(report.metrics[1].value, report.metrics[2].value);
  task.metrics = {"mae"};
  EXPECT_THAT(runner->Validate(task, {}), IsError(ErrorCode::kInvalidArgument, "metric mae"));
  EXPECT_THAT(runner->Train(task, {}), IsError(ErrorCode::kInvalidArgument, "metric mae"));
}

TEST_F(Runner, TellsAtLeastOnceHowFarItIs) {
  const auto runner = RunnerFor(network_, data_, 8);
  TaskContext context = InRound(0);
  Progress last;
  context.progress = [&](const Progress& progress) { last = progress; };
  ASSERT_THAT(runner->Train(TrainTask(2), context), IsOk());
  EXPECT_EQ(last.epoch, 2);
  EXPECT_EQ(last.epochs, 2);
  EXPECT_EQ(last.samples, 60);
  EXPECT_EQ(last.total, 60);
  EXPECT_GT(last.loss, 0);
}

TEST_F(Runner, StopsWhenCancelled) {
  const auto runner = RunnerFor(network_, data_, 8);
  TaskContext context = InRound(0);
  int polls = 0;
  context.cancelled = [&] { return ++polls == 3; };
  EXPECT_THAT(runner->Train(TrainTask(), context), IsError(ErrorCode::kCancelled, "task train"));
  EXPECT_EQ(polls, 3);
}

TEST_F(Runner, NamesTheLayerOfAWeightThatIsNotFinite) {
  const auto runner = RunnerFor(network_, data_, 8);
  Model model = InitialModel(network_);
  model[2].tensor.floats()[5] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_THAT(runner->SetParameters(model), IsOk());
  EXPECT_THAT(runner->Validate(ValidateTask(), {}),
              IsError(ErrorCode::kOutOfRange, "dense.weight holds values that are not finite"));
  EXPECT_THAT(runner->Train(TrainTask(), InRound(0)),
              IsError(ErrorCode::kOutOfRange, "dense.weight"));
}

TEST_F(Runner, NamesTheLayerWhoseOutputOverflows) {
  const auto runner = RunnerFor(network_, data_, 8);
  Model model = InitialModel(network_);
  for (float& w : model[2].tensor.floats()) w = 1e38F;
  ASSERT_THAT(runner->SetParameters(model), IsOk());
  EXPECT_THAT(runner->Validate(ValidateTask(), {}),
              IsError(ErrorCode::kOutOfRange, "layer dense is the first"));
}

// Where the first layer works in place, the sample is gone when the culprit is looked for: tanh of
// tanh is less than tanh, and the dense layer after it would not overflow.
TEST_F(Runner, NamesTheLayerThatOverflowsBehindOneThatWorksInPlace) {
  const NetworkSpec network = MakeNetwork(
      {2}, {{.type = LayerType::kTanh, .name = "squash"}, WithoutBias(Dense("head", 2))});
  const MemoryLoader data(MemorySet({2}, {1, 1}, {0}), MemorySet({2}, {1, 1}, {0}));
  const auto runner = RunnerFor(network, data, 1);
  Model model = InitialModel(network);
  for (float& w : model[0].tensor.floats()) w = 2.5e38F;
  ASSERT_THAT(runner->SetParameters(model), IsOk());
  const auto is_named = IsError(ErrorCode::kOutOfRange, "layer head is the first");
  EXPECT_THAT(runner->Validate(ValidateTask(), {}), is_named);
  EXPECT_THAT(runner->Train(TrainTask(), InRound(0)), is_named);
}

TEST_F(Runner, SaysSoWhenTrainingDiverges) {
  const NetworkSpec network = SmallNetwork({.learning_rate = 1e30});
  EXPECT_THAT(RunnerFor(network, data_, 8)->Train(TrainTask(3), InRound(0)),
              IsError(ErrorCode::kOutOfRange, "a smaller learning_rate usually helps"));
}

TEST_F(Runner, RefusesAModelOfAnotherNetwork) {
  const auto runner = RunnerFor(network_, data_, 8);
  const NetworkSpec other = MakeNetwork(kInput, {Flatten("flatten"), Dense("head", kClasses)});
  EXPECT_THAT(runner->SetParameters(InitialModel(other)),
              IsError(ErrorCode::kInvalidArgument, "does not fit the plan's network"));
}

TEST_F(Runner, RefusesOptimizerStateOfAnotherOptimizer) {
  const auto momentum = RunnerFor(network_, data_, 8);
  ASSERT_THAT(momentum->Train(TrainTask(), InRound(0)), IsOk());
  const auto adam = RunnerFor(SmallNetwork({.type = OptimizerType::kAdam}), data_, 8);
  EXPECT_THAT(adam->SetOptimizerState(momentum->GetOptimizerState()),
              IsError(ErrorCode::kInvalidArgument, "state does not fit"));
  const auto plain = RunnerFor(SmallNetwork({.learning_rate = 0.1}), data_, 8);
  EXPECT_THAT(plain->SetOptimizerState(momentum->GetOptimizerState()),
              IsError(ErrorCode::kInvalidArgument, "keeps no state"));
}

TEST_F(Runner, RefusesDataOfAnotherShape) {
  const MemoryLoader data(RandomSet({1, 5, 6}, 4, kClasses, 1));
  EXPECT_THAT(MakeTaskRunner(network_, {.type = "", .dataset = ""}, data),
              IsError(ErrorCode::kInvalidArgument,
                      "training samples are [1, 5, 6], but the network takes [1, 6, 6]"));
}

TEST_F(Runner, RefusesALabelTheNetworkHasNoOutputFor) {
  const MemoryLoader data(RandomSet(kInput, 4, 1, 1),
                          MemorySet({1, 6, 6}, std::vector<float>(72), {2, 3}));
  EXPECT_THAT(MakeTaskRunner(network_, {.type = "", .dataset = ""}, data),
              IsError(ErrorCode::kInvalidArgument, "validation sample 1 has label 3"));
}

// oneDNN falls back to loops a hundred times slower, without a word, when layouts do not suit it.
TEST(Implementations, AreNeverTheReferenceOnes) {
  const NetworkSpec network = MakeNetwork(
      {1, 28, 28}, {Conv2d("conv1", 16, 5, 2), Relu("relu1"), MaxPool("pool1", 2),
                    Conv2d("conv2", 32, 3, 1), Relu("relu2"), MaxPool("pool2", 2),
                    Flatten("flatten"), Dense("dense1", 128), Relu("relu3"), Dense("dense2", 10)});
  for (const std::int64_t batch : {1, 16, 32, 64, 250}) {
    for (const bool training : {false, true}) {
      const auto picked = onednn::DescribeImplementations(network, batch, training).value();
      EXPECT_GE(picked.size(), 6U);
      EXPECT_THAT(picked, Each(Not(HasSubstr("ref")))) << batch << " " << training;
    }
  }
}

}  // namespace
}  // namespace fx::test
