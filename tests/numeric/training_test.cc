// Whole training tasks against plain loops: order of samples, batches, optimizers; and the identity
// federated averaging rests on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "tests/numeric/reference.h"
#include "tests/numeric/reference_optimizer.h"
#include "tests/numeric/trainer.h"
#include "tests/support/matchers.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

constexpr std::int64_t kClasses = 4;
const Shape kInput = {1, 8, 8};

NetworkSpec SmallNetwork(OptimizerSpec optimizer) {
  return MakeNetwork(kInput,
                     {Conv2d("conv", 5, 3, 1), Relu("relu"), MaxPool("pool", 2), Flatten("flatten"),
                      Dense("dense", 12), Relu("relu2"), Dense("head", kClasses)},
                     optimizer);
}

std::vector<std::byte> BytesOf(const Model& model) {
  std::vector<std::byte> bytes;
  for (const NamedTensor& tensor : model) {
    const auto own = tensor.tensor.bytes();
    bytes.insert(bytes.end(), own.begin(), own.end());
  }
  return bytes;
}

// Trains `reference` as the contract of the runner says: shuffled anew each epoch by the plan's
// seed, round, epoch and collaborator; batches in that order, the last one smaller.
template <typename Use>
void ForEachGradient(const Reference& reference, const NetworkSpec& network, const MemorySet& data,
                     std::size_t batch, std::uint64_t epoch, Use use) {
  const auto size = static_cast<std::size_t>(data.size());
  const auto order =
      Permutation(size, RandomStream(network.seed, "shuffle", 2, epoch, HashName("one")));
  for (std::size_t begin = 0; begin < size; begin += batch) {
    const std::size_t end = std::min(size, begin + batch);
    std::vector<Values> gradients = reference.ZeroGradients();
    for (std::size_t i = begin; i < end; ++i) {
      reference.AddGradient(data.sample(order[i]), data.label(order[i]),
                            1 / static_cast<double>(end - begin), gradients);
    }
    use(std::move(gradients));
  }
}

void TrainReference(Reference& reference, const NetworkSpec& network, const MemorySet& data,
                    std::size_t batch, std::uint64_t epochs) {
  ReferenceOptimizer optimizer(network.optimizer);
  for (std::uint64_t epoch = 1; epoch <= epochs; ++epoch) {
    ForEachGradient(reference, network, data, batch, epoch, [&](std::vector<Values> gradients) {
      optimizer.Step(reference.parameters(), std::move(gradients));
    });
  }
}

struct Optimizing {
  std::string name;
  OptimizerSpec spec;
};

class Training : public ::testing::TestWithParam<Optimizing> {
 protected:
  const NetworkSpec network_ = SmallNetwork(GetParam().spec);
  const MemoryLoader data_{RandomSet(kInput, 50, kClasses, 3)};
};

TEST_P(Training, ThreeEpochsOfMiniBatchesEndWherePlainLoopsEnd) {
  Reference reference(network_, InitialModel(network_));
  TrainReference(reference, network_, data_.train(), 16, 3);
  const auto runner = RunnerFor(network_, data_, 16);
  ASSERT_THAT(runner->Train(TrainTask(3), InRound(2)), IsOk());
  const Model actual = runner->GetParameters();
  for (std::size_t p = 0; p < actual.size(); ++p) {
    EXPECT_LT(RelativeError(actual[p].tensor.floats(), reference.parameters()[p]), 2e-5)
        << actual[p].name;
  }
}

TEST_P(Training, StateCarriedToAnotherRunnerContinuesBitForBit) {
  const auto one = RunnerFor(network_, data_, 16);
  ASSERT_THAT(one->Train(TrainTask(), InRound(0)), IsOk());
  const auto two = RunnerFor(network_, data_, 16);
  ASSERT_THAT(two->SetParameters(one->GetParameters()), IsOk());
  ASSERT_THAT(two->SetOptimizerState(one->GetOptimizerState()), IsOk());
  ASSERT_THAT(one->Train(TrainTask(), InRound(1)), IsOk());
  ASSERT_THAT(two->Train(TrainTask(), InRound(1)), IsOk());
  EXPECT_EQ(BytesOf(one->GetParameters()), BytesOf(two->GetParameters()));
  EXPECT_EQ(BytesOf(one->GetOptimizerState()), BytesOf(two->GetOptimizerState()));
}

TEST_P(Training, AResetOptimizerStartsAsANewOne) {
  const auto one = RunnerFor(network_, data_, 16);
  ASSERT_THAT(one->Train(TrainTask(), InRound(0)), IsOk());
  one->ResetOptimizer();
  EXPECT_TRUE(one->GetOptimizerState().empty());
  const auto two = RunnerFor(network_, data_, 16);
  ASSERT_THAT(two->SetParameters(one->GetParameters()), IsOk());
  ASSERT_THAT(one->Train(TrainTask(), InRound(1)), IsOk());
  ASSERT_THAT(two->Train(TrainTask(), InRound(1)), IsOk());
  EXPECT_EQ(BytesOf(one->GetParameters()), BytesOf(two->GetParameters()));
}

INSTANTIATE_TEST_SUITE_P(
    All, Training,
    ::testing::Values(
        Optimizing{"Sgd", {.learning_rate = 0.05}},
        Optimizing{"SgdWithDecay", {.learning_rate = 0.05, .weight_decay = 0.1}},
        Optimizing{"Momentum", {.learning_rate = 0.02, .momentum = 0.9}},
        Optimizing{"MomentumWithDecay",
                   {.learning_rate = 0.02, .momentum = 0.9, .weight_decay = 0.05}},
        Optimizing{"Adam", {.type = OptimizerType::kAdam, .learning_rate = 0.003}},
        Optimizing{"AdamWithDecay",
                   {.type = OptimizerType::kAdam, .learning_rate = 0.003, .weight_decay = 0.05}},
        Optimizing{"AdamW",
                   {.type = OptimizerType::kAdamW, .learning_rate = 0.003, .weight_decay = 0.5}},
        Optimizing{"Nesterov",
                   {.learning_rate = 0.02, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1}},
        Optimizing{"AdaGrad",
                   {.type = OptimizerType::kAdaGrad, .learning_rate = 0.01, .weight_decay = 0.1}},
        Optimizing{"RmsProp",
                   {.type = OptimizerType::kRmsProp, .learning_rate = 0.001, .epsilon = 1e-3}},
        Optimizing{"RmsPropWithMomentum",
                   {.type = OptimizerType::kRmsProp,
                    .learning_rate = 0.001,
                    .momentum = 0.5,
                    .epsilon = 1e-3,
                    .weight_decay = 0.1}},
        Optimizing{"ClippedNorm", {.learning_rate = 0.05, .momentum = 0.9, .clip_norm = 0.3}},
        Optimizing{"ClippedValues",
                   {.learning_rate = 0.05, .weight_decay = 0.1, .clip_value = 0.01}},
        Optimizing{"Proximal", {.learning_rate = 0.05, .clip_norm = 0.5, .proximal = 2}}),
    [](const auto& tested) { return tested.param.name; });

TEST(TrainingLoss, IsTheMeanOverTheSamplesOfTheLastEpoch) {
  // A learning rate of nearly zero leaves the model where it was.
  const NetworkSpec network = SmallNetwork({.learning_rate = 1e-30});
  const MemoryLoader data(RandomSet(kInput, 50, kClasses, 3));
  const Reference reference(network, InitialModel(network));
  double loss = 0, correct = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    loss += reference.Loss(data.train().sample(i), data.train().label(i)) / 50;
    correct += reference.IsCorrect(data.train().sample(i), data.train().label(i)) ? 0.02 : 0;
  }
  const auto runner = RunnerFor(network, data, 16);
  const TaskReport trained = runner->Train(TrainTask(3), InRound(0)).value();
  const TaskReport validated = runner->Validate(ValidateTask(), InRound(0)).value();
  EXPECT_EQ(trained.num_samples, 50);
  EXPECT_NEAR(trained.metrics[0].value, loss, 1e-6);
  EXPECT_NEAR(trained.metrics[1].value, correct, 1e-12);
  EXPECT_NEAR(validated.metrics[0].value, correct, 1e-12);
  EXPECT_NEAR(validated.metrics[1].value, loss, 1e-6);
}

// What is trained in `round` from the initial model.
std::vector<std::byte> TrainedInRound(std::uint32_t round, const OptimizerSpec& optimizer,
                                      const MemoryLoader& data) {
  const auto runner = RunnerFor(SmallNetwork(optimizer), data, 16);
  FX_CHECK(runner->Train(TrainTask(), InRound(round)).has_value());
  return BytesOf(runner->GetParameters());
}

TEST(Schedule, SetsTheLearningRateOfTheRound) {
  const MemoryLoader data(RandomSet(kInput, 50, kClasses, 3));
  const OptimizerSpec halved = {.learning_rate = 0.08,
                                .schedule = {.type = ScheduleType::kStep, .factor = 0.5}};
  EXPECT_EQ(TrainedInRound(2, halved, data), TrainedInRound(2, {.learning_rate = 0.02}, data));
  EXPECT_EQ(TrainedInRound(0, halved, data), TrainedInRound(0, {.learning_rate = 0.08}, data));
}

// Of the initial model, by plain loops: the mean of the squares, in the epoch after one.
std::vector<Values> SquaredGradients(const NetworkSpec& network, const MemorySet& data,
                                     std::size_t batch) {
  const Reference reference(network, InitialModel(network));
  std::vector<Values> mean = reference.ZeroGradients();
  double batches = 0;
  ForEachGradient(reference, network, data, batch, 2, [&](const std::vector<Values>& gradients) {
    ++batches;
    for (std::size_t p = 0; p < mean.size(); ++p) {
      for (std::size_t i = 0; i < mean[p].size(); ++i) {
        mean[p][i] += (gradients[p][i] * gradients[p][i] - mean[p][i]) / batches;
      }
    }
  });
  return mean;
}

TEST(Fisher, IsTheMeanOverBatchesOfTheirSquaredGradients) {
  // What the optimizer adds to gradients, or takes from them, does not count.
  const NetworkSpec network =
      SmallNetwork({.weight_decay = 0.5, .clip_norm = 0.01, .clip_value = 0.001, .proximal = 2});
  const MemoryLoader data(RandomSet(kInput, 50, kClasses, 3));
  for (const std::int64_t batch : {1, 16, 50}) {
    const auto runner = RunnerFor(network, data, batch);
    const Model fisher = runner->Fisher(TrainTask(), InRound(2)).value();
    const auto expected = SquaredGradients(network, data.train(), static_cast<std::size_t>(batch));
    ASSERT_EQ(fisher.size(), expected.size());
    for (std::size_t p = 0; p < fisher.size(); ++p) {
      EXPECT_EQ(fisher[p].name, runner->layout()[p].name);
      EXPECT_LT(RelativeError(fisher[p].tensor.floats(), expected[p]), 1e-4)
          << fisher[p].name << " in batches of " << batch;
    }
  }
}

TEST(Fisher, ChangesNeitherWeightsNorStatisticsNorTheOptimizer) {
  const NetworkSpec network = MakeNetwork(kInput,
                                          {Conv2d("conv", 5, 3, 1),
                                           {.type = LayerType::kBatchNorm, .name = "norm"},
                                           Relu("relu"),
                                           Flatten("flatten"),
                                           Dropout("drop", 0.3),
                                           Dense("head", kClasses)},
                                          {.learning_rate = 0.01, .momentum = 0.9});
  const MemoryLoader data(RandomSet(kInput, 50, kClasses, 3));
  const auto asked = RunnerFor(network, data, 16), other = RunnerFor(network, data, 16);
  for (const std::uint32_t round : {0U, 1U}) {
    ASSERT_THAT(asked->Train(TrainTask(2), InRound(round)), IsOk());
    ASSERT_THAT(other->Train(TrainTask(2), InRound(round)), IsOk());
    const auto fisher = asked->Fisher(TrainTask(2), InRound(round));
    ASSERT_THAT(fisher, IsOk());
    EXPECT_EQ(fisher->size(), 6U) << "of trained parameters";
    EXPECT_EQ(BytesOf(asked->GetParameters()), BytesOf(other->GetParameters())) << round;
    EXPECT_EQ(BytesOf(asked->GetOptimizerState()), BytesOf(other->GetOptimizerState())) << round;
  }
}

TEST(Fisher, EndsWhenItIsCancelled) {
  const MemoryLoader data(RandomSet(kInput, 50, kClasses, 3));
  TaskContext context = InRound(0);
  context.cancelled = [] { return true; };
  EXPECT_THAT(RunnerFor(SmallNetwork({}), data, 16)->Fisher(TrainTask(), context),
              IsError(ErrorCode::kCancelled, "was cancelled"));
}

TEST(FedProx, HoldsASiteNearTheModelOfTheRound) {
  const MemoryLoader data(RandomSet(kInput, 50, kClasses, 3));
  const auto moved = [&](double proximal) {
    const NetworkSpec network = SmallNetwork({.learning_rate = 0.05, .proximal = proximal});
    const auto runner = RunnerFor(network, data, 16);
    FX_CHECK(runner->Train(TrainTask(3), InRound(0)).has_value());
    const Model from = InitialModel(network), to = runner->GetParameters();
    return RelativeError(to[4].tensor.floats(), from[4].tensor.floats());
  };
  EXPECT_LT(moved(5), 0.7 * moved(0));
}

// The weighted mean in double of what the sites trained.
Model WeightedMean(const std::vector<Model>& models, const std::vector<double>& weights) {
  Model mean = Clone(models[0]);
  for (std::size_t t = 0; t < mean.size(); ++t) {
    const auto out = mean[t].tensor.floats();
    for (std::size_t i = 0; i < out.size(); ++i) {
      double sum = 0, total = 0;
      for (std::size_t k = 0; k < models.size(); ++k) {
        sum += weights[k] * models[k][t].tensor.floats()[i];
        total += weights[k];
      }
      out[i] = static_cast<float>(sum / total);
    }
  }
  return mean;
}

Model TrainedOn(const NetworkSpec& network, const MemorySet& data) {
  const MemoryLoader loader(data);
  const auto runner = RunnerFor(network, loader, data.size());
  FX_CHECK(runner->Train(TrainTask(), InRound(0)).has_value());
  return runner->GetParameters();
}

// McMahan et al. 2017, section 2: with full batches and one step, FedAvg is FedSGD, which is
// gradient descent on the union.
TEST(FederatedAveraging, OfOneFullBatchStepOnUnequalShardsIsOneStepOnAllData) {
  const NetworkSpec network = SmallNetwork({.learning_rate = 0.1});
  const MemorySet all = RandomSet(kInput, 1000, kClasses, 8);
  const Model central = TrainedOn(network, all);
  std::vector<Model> sites;
  for (const auto& [begin, end] : {std::pair(0, 137), std::pair(137, 700), std::pair(700, 1000)}) {
    sites.push_back(TrainedOn(
        network, all.Part(static_cast<std::size_t>(begin), static_cast<std::size_t>(end))));
  }
  const Model mean = WeightedMean(sites, {137, 563, 300});
  const Model plain_mean = WeightedMean(sites, {1, 1, 1});
  for (std::size_t t = 0; t < central.size(); ++t) {
    const auto expected = central[t].tensor.floats();
    EXPECT_LT(RelativeError(mean[t].tensor.floats(), expected), 1e-6) << central[t].name;
    // The test can tell: weights that ignore the sizes of the shards end elsewhere.
    EXPECT_GT(RelativeError(plain_mean[t].tensor.floats(), expected), 1e-5) << central[t].name;
  }
}

}  // namespace
}  // namespace fx::test
