#include "tasks/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "core/base/random.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;

NetworkSpec NetworkWith(LossType type, Shape output) {
  NetworkSpec network;
  network.layers.push_back({.type = LayerType::kTanh, .name = "last", .output = std::move(output)});
  network.loss.type = type;
  return network;
}

TaskSpec TaskWith(std::vector<std::string> metrics) {
  return {.name = {"validate"}, .metrics = std::move(metrics), .batch_size = {}};
}

const std::vector<std::string> kAll = {"loss",      "accuracy", "acc", "dice", "iou",
                                       "precision", "recall",   "f1",  "auroc"};
const std::vector<std::string> kOfPlaces = {"accuracy", "dice", "iou", "precision", "recall"};

std::map<std::string, double> Measure(const NetworkSpec& network, std::vector<std::string> metrics,
                                      const std::vector<float>& outputs,
                                      const std::vector<float>& targets) {
  MetricSums sums = MetricSums::Make(network, TaskWith(std::move(metrics))).value();
  sums.Add(outputs, targets);
  std::map<std::string, double> values;
  for (const Metric& metric : sums.Values(0.25)) values[metric.name] = metric.value;
  return values;
}

// The outputs of a network that is certain of these classes.
std::vector<float> Certain(const std::vector<std::size_t>& found, std::size_t classes) {
  std::vector<float> outputs(found.size() * classes);
  for (std::size_t i = 0; i < found.size(); ++i) outputs[i * classes + found[i]] = 3;
  return outputs;
}

// What sklearn.metrics says of y_true = 0 0 1 1 2 2 2, y_pred = 0 1 1 1 2 0 2 with average="macro".
TEST(Metrics, OfThreeClassesAreMeansOverThem) {
  const auto values = Measure(NetworkWith(LossType::kSoftmaxCrossEntropy, {3}), kAll,
                              Certain({0, 1, 1, 1, 2, 0, 2}, 3), {0, 0, 1, 1, 2, 2, 2});
  EXPECT_NEAR(values.at("accuracy"), 5.0 / 7, 1e-12);
  EXPECT_EQ(values.at("acc"), values.at("accuracy"));
  EXPECT_NEAR(values.at("precision"), (1.0 / 2 + 2.0 / 3 + 1) / 3, 1e-12);
  EXPECT_NEAR(values.at("recall"), (1.0 / 2 + 1 + 2.0 / 3) / 3, 1e-12);
  EXPECT_NEAR(values.at("f1"), (1.0 / 2 + 4.0 / 5 + 4.0 / 5) / 3, 1e-12);
  EXPECT_EQ(values.at("dice"), values.at("f1"));
  EXPECT_NEAR(values.at("iou"), (1.0 / 3 + 2.0 / 3 + 2.0 / 3) / 3, 1e-12);
  EXPECT_EQ(values.at("loss"), 0.25);
}

TEST(Metrics, LeaveOutAClassThatIsNeitherFoundNorThere) {
  const auto network = NetworkWith(LossType::kSoftmaxCrossEntropy, {4});
  const auto values = Measure(network, kAll, Certain({0, 0, 2}, 4), {0, 2, 2});
  EXPECT_NEAR(values.at("recall"), 0.75, 1e-12);
  EXPECT_NEAR(values.at("precision"), 0.75, 1e-12);
}

TEST(Metrics, OfTwoClassesAreThoseOfThePositiveOne) {
  const auto values = Measure(NetworkWith(LossType::kSoftmaxCrossEntropy, {2}), kAll,
                              Certain({1, 1, 1, 0, 0}, 2), {1, 0, 0, 0, 1});
  EXPECT_NEAR(values.at("precision"), 1.0 / 3, 1e-12);
  EXPECT_NEAR(values.at("recall"), 1.0 / 2, 1e-12);
  EXPECT_NEAR(values.at("dice"), 2.0 / 5, 1e-12);
  EXPECT_NEAR(values.at("iou"), 1.0 / 4, 1e-12);
}

TEST(Metrics, OfOneOutputAreThoseOfThePositiveAnswer) {
  const auto values = Measure(NetworkWith(LossType::kBinaryCrossEntropy, {1}), kAll,
                              {2, 0.1F, 0.2F, -1, -2}, {1, 0, 0, 0, 1});
  EXPECT_NEAR(values.at("accuracy"), 2.0 / 5, 1e-12);
  EXPECT_NEAR(values.at("precision"), 1.0 / 3, 1e-12);
  EXPECT_NEAR(values.at("recall"), 1.0 / 2, 1e-12);
  EXPECT_NEAR(values.at("auroc"), 3.0 / 6, 1e-12);
}

TEST(Metrics, CountPixels) {
  // Two samples of 1 x 3 pixels and two classes.
  const auto values = Measure(NetworkWith(LossType::kSoftmaxCrossEntropy, {2, 1, 3}), kOfPlaces,
                              {0, 0, 1, 1, 1, 0, 5, 5, 5, 6, 4, 4}, {1, 1, 0, 1, 1, 0});
  EXPECT_NEAR(values.at("accuracy"), 5.0 / 6, 1e-12);
  EXPECT_NEAR(values.at("recall"), 3.0 / 4, 1e-12);
  EXPECT_NEAR(values.at("precision"), 1, 1e-12);
  EXPECT_NEAR(values.at("dice"), 6.0 / 7, 1e-12);
  EXPECT_NEAR(values.at("iou"), 3.0 / 4, 1e-12);
}

TEST(Metrics, CountSteps) {
  const auto values = Measure(NetworkWith(LossType::kSoftmaxCrossEntropy, {2, 3}), {"accuracy"},
                              {0, 1, 0, 0, 0, 1}, {1, 0});
  EXPECT_EQ(values.at("accuracy"), 0.5);
}

TEST(Metrics, OfMasksAreMeansOverTheirChannels) {
  // One sample of two channels of 1 x 2 pixels: one mask half right, one empty and found so.
  const auto network = NetworkWith(LossType::kDice, {2, 1, 2});
  const auto half = Measure(network, kOfPlaces, {1, 1, -1, -1}, {1, 0, 0, 0});
  EXPECT_NEAR(half.at("dice"), 2.0 / 3, 1e-12);
  EXPECT_NEAR(half.at("accuracy"), 3.0 / 4, 1e-12);
  EXPECT_EQ(Measure(network, kOfPlaces, {-1, -1, -1, -1}, {0, 0, 0, 0}).at("dice"), 1);
}

TEST(Metrics, TakeTheFirstOfEqualOutputs) {
  const auto network = NetworkWith(LossType::kSoftmaxCrossEntropy, {3});
  EXPECT_EQ(Measure(network, {"acc"}, {1, 1, 1}, {0}).at("acc"), 1);
  EXPECT_EQ(Measure(network, {"acc"}, {1, 1, 1}, {2}).at("acc"), 0);
}

TEST(Metrics, AddUpOverBatches) {
  const auto network = NetworkWith(LossType::kSoftmaxCrossEntropy, {3});
  MetricSums sums = MetricSums::Make(network, TaskWith({"acc", "auroc"})).value();
  sums.Add(Certain({0, 1}, 3), std::vector<float>{0, 0});
  sums.Add(Certain({2}, 3), std::vector<float>{2});
  EXPECT_NEAR(sums.Values(0)[0].value, 2.0 / 3, 1e-12);
  // Class 0: 1 and, tied, 1/2 of two pairs; class 2: both; class 1 has no yes.
  EXPECT_NEAR(sums.Values(0)[1].value, (0.75 + 1) / 2, 1e-12);
}

// Every pair of a yes and a no, by the definition.
double PairwiseAuroc(const std::vector<double>& scores, const std::vector<bool>& yes) {
  double sum = 0, pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (!yes[i] || yes[j]) continue;
      ++pairs;
      sum += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  return sum / pairs;
}

TEST(Auroc, IsTheShareOfPairsInTheRightOrder) {
  RandomStream draws(1, "auroc");
  std::vector<float> outputs, targets;
  std::vector<double> scores;
  std::vector<bool> yes;
  for (int i = 0; i < 200; ++i) {
    outputs.push_back(static_cast<float>(draws.Below(20)) - 10);  // with many ties
    targets.push_back(draws.NextNormal() + outputs.back() / 8 > 0 ? 1 : 0);
    scores.push_back(outputs.back());
    yes.push_back(targets.back() == 1);
  }
  const auto network = NetworkWith(LossType::kBinaryCrossEntropy, {1});
  const double auroc = Measure(network, {"auroc"}, outputs, targets).at("auroc");
  EXPECT_NEAR(auroc, PairwiseAuroc(scores, yes), 1e-12);
  EXPECT_GT(auroc, 0.55);
}

TEST(Auroc, ComparesProbabilitiesOfSoftmax) {
  RandomStream draws(2, "auroc");
  constexpr std::size_t kClasses = 3, kSamples = 60;
  std::vector<float> outputs(kSamples * kClasses), targets(kSamples);
  std::vector<std::vector<double>> scores(kClasses);
  std::vector<std::vector<bool>> yes(kClasses);
  for (float& z : outputs) z = static_cast<float>(draws.NextNormal());
  for (std::size_t i = 0; i < kSamples; ++i) {
    const auto label = draws.Below(kClasses);
    targets[i] = static_cast<float>(label);
    outputs[i * kClasses + label] += 1;
    double all = 0;
    for (std::size_t c = 0; c < kClasses; ++c) all += std::exp(outputs[i * kClasses + c]);
    for (std::size_t c = 0; c < kClasses; ++c) {
      scores[c].push_back(std::exp(outputs[i * kClasses + c]) / all);
      yes[c].push_back(c == label);
    }
  }
  double mean = 0;
  for (std::size_t c = 0; c < kClasses; ++c) mean += PairwiseAuroc(scores[c], yes[c]) / kClasses;
  const auto network = NetworkWith(LossType::kSoftmaxCrossEntropy, {3});
  EXPECT_NEAR(Measure(network, {"auroc"}, outputs, targets).at("auroc"), mean, 1e-12);
}

TEST(Auroc, IsAHalfWhereAllAnswersAreTheSame) {
  const auto network = NetworkWith(LossType::kBinaryCrossEntropy, {1});
  EXPECT_EQ(Measure(network, {"auroc"}, {1, 2}, {1, 1}).at("auroc"), 0.5);
}

TEST(Metrics, OfMseAreTheMeanAbsoluteError) {
  const auto network = NetworkWith(LossType::kMse, {2});
  EXPECT_NEAR(Measure(network, {"mae", "loss"}, {1, 2, 3, 4}, {0, 4, 3, 4}).at("mae"), 0.75, 1e-12);
}

TEST(Metrics, RefuseWhatMeansNothing) {
  const auto refusal = [](LossType loss, Shape output, const char* metric) {
    return MetricSums::Make(NetworkWith(loss, std::move(output)), TaskWith({"loss", metric}));
  };
  EXPECT_THAT(refusal(LossType::kMse, {1}, "f1"),
              IsError(ErrorCode::kInvalidArgument,
                      "metric f1, expected for this loss and output one of loss, mae"));
  EXPECT_THAT(refusal(LossType::kSoftmaxCrossEntropy, {2}, "mae"),
              IsError(ErrorCode::kInvalidArgument, "metric mae"));
  EXPECT_THAT(refusal(LossType::kDice, {1, 4, 4}, "auroc"),
              IsError(ErrorCode::kInvalidArgument, "metric auroc"));
  EXPECT_THAT(refusal(LossType::kDice, {1, 4, 4}, "beauty"),
              IsError(ErrorCode::kInvalidArgument, "metric beauty"));
}

}  // namespace
}  // namespace fx
