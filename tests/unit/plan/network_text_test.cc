// Every key of a network in the plan's text, and what it means.
#include "tests/unit/plan/network_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plan/metric_names.h"
#include "plan/read_network.h"

namespace fx {
namespace {

using test::WithNetwork;
using test::WithOptimizer;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

NetworkSpec Loaded(std::string text) {
  Result<Plan> plan = test::PlanText().Set(std::move(text)).Load();
  EXPECT_TRUE(plan) << plan.error().Render();
  return plan ? std::move(plan->task_runner) : NetworkSpec{};
}

LayerSpec FirstLayer(std::string_view input_shape, std::string_view layer) {
  const NetworkSpec network = Loaded(WithNetwork(input_shape, layer));
  return network.layers.empty() ? LayerSpec{} : network.layers.front();
}

using Pair = std::array<std::int64_t, 2>;

TEST(NetworkText, HasAWordForEveryTypeOfLayer) {
  const std::vector<Choice>& choices = LayerChoices();
  ASSERT_EQ(choices.size(), static_cast<std::size_t>(LayerType::kGru) + 1);
  const auto word = [&](LayerType type) { return choices[static_cast<std::size_t>(type)].name; };
  EXPECT_EQ(word(LayerType::kConv2d), "conv2d");
  EXPECT_EQ(word(LayerType::kFlatten), "flatten");
  EXPECT_EQ(word(LayerType::kConvTranspose2d), "conv_transpose2d");
  EXPECT_EQ(word(LayerType::kAvgPool), "avg_pool");
  EXPECT_EQ(word(LayerType::kGlobalAvgPool), "global_avg_pool");
  EXPECT_EQ(word(LayerType::kBatchNorm), "batch_norm");
  EXPECT_EQ(word(LayerType::kLayerNorm), "layer_norm");
  EXPECT_EQ(word(LayerType::kGroupNorm), "group_norm");
  EXPECT_EQ(word(LayerType::kLeakyRelu), "leaky_relu");
  EXPECT_EQ(word(LayerType::kGelu), "gelu");
  EXPECT_EQ(word(LayerType::kSilu), "silu");
  EXPECT_EQ(word(LayerType::kTanh), "tanh");
  EXPECT_EQ(word(LayerType::kSigmoid), "sigmoid");
  EXPECT_EQ(word(LayerType::kSoftmax), "softmax");
  EXPECT_EQ(word(LayerType::kReshape), "reshape");
  EXPECT_EQ(word(LayerType::kConcat), "concat");
  EXPECT_EQ(word(LayerType::kAdd), "add");
  EXPECT_EQ(word(LayerType::kUpsample), "upsample");
  EXPECT_EQ(word(LayerType::kEmbedding), "embedding");
  EXPECT_EQ(word(LayerType::kLstm), "lstm");
  EXPECT_EQ(word(LayerType::kGru), "gru");
}

TEST(NetworkText, ReadsConvolutions) {
  const LayerSpec conv = FirstLayer("[4, 9, 9]",
                                    "{type: conv2d, filters: 6, kernel: [3, 2], stride: [2, 1], "
                                    "padding: 1, dilation: [1, 2], groups: 2, bias: false}");
  EXPECT_EQ(conv.filters, 6);
  EXPECT_EQ(conv.kernel, (Pair{3, 2}));
  EXPECT_EQ(conv.stride, (Pair{2, 1}));
  EXPECT_EQ(conv.padding, (Pair{1, 1}));
  EXPECT_EQ(conv.dilation, (Pair{1, 2}));
  EXPECT_EQ(conv.groups, 2);
  EXPECT_FALSE(conv.bias);
  const LayerSpec transposed = FirstLayer("[4, 9, 9]",
                                          "{type: conv_transpose2d, filters: 3, kernel: 3, stride: "
                                          "2, padding: 1, output_padding: [1, 0]}");
  EXPECT_EQ(transposed.output_padding, (Pair{1, 0}));
  EXPECT_EQ(transposed.output, (Shape{3, 18, 17}));
  EXPECT_TRUE(transposed.bias);
}

TEST(NetworkText, GivesPoolsTheStrideOfTheirKernel) {
  EXPECT_EQ(FirstLayer("[1, 9, 9]", "{type: max_pool, kernel: 3}").stride, (Pair{3, 3}));
  const LayerSpec pool =
      FirstLayer("[1, 9, 9]", "{type: avg_pool, kernel: 3, stride: 2, padding: 1}");
  EXPECT_EQ(pool.stride, (Pair{2, 2}));
  EXPECT_EQ(pool.padding, (Pair{1, 1}));
}

TEST(NetworkText, ReadsNorms) {
  const LayerSpec batch = FirstLayer("[4]", "{type: batch_norm, momentum: 0.2, epsilon: 0.001}");
  EXPECT_EQ(batch.momentum, 0.2);
  EXPECT_EQ(batch.epsilon, 0.001);
  const LayerSpec layer = FirstLayer("[4]", "{type: layer_norm}");
  EXPECT_EQ(layer.epsilon, 1e-5);
  EXPECT_EQ(FirstLayer("[4, 2, 2]", "{type: group_norm, groups: 2}").groups, 2);
}

TEST(NetworkText, ReadsTheOtherKeysOfLayers) {
  EXPECT_EQ(FirstLayer("[4]", "{type: leaky_relu, slope: 0.2}").slope, 0.2);
  EXPECT_EQ(FirstLayer("[4]", "{type: leaky_relu}").slope, 0.01);
  EXPECT_EQ(FirstLayer("[4]", "{type: dropout, rate: 0.5}").rate, 0.5);
  EXPECT_EQ(FirstLayer("[4]", "{type: reshape, shape: [1, 2, 2]}").output, (Shape{1, 2, 2}));
  const LayerSpec up =
      FirstLayer("[1, 2, 2]", "{type: upsample, scale: [2, 3], interpolation: bilinear}");
  EXPECT_EQ(up.scale, (Pair{2, 3}));
  EXPECT_EQ(up.interpolation, Interpolation::kBilinear);
  EXPECT_EQ(FirstLayer("[1, 2, 2]", "{type: upsample}").interpolation, Interpolation::kNearest);
  const LayerSpec embedding = FirstLayer("[5]", "{type: embedding, entries: 96, units: 8}");
  EXPECT_EQ(embedding.entries, 96);
  EXPECT_EQ(embedding.units, 8);
  EXPECT_FALSE(
      FirstLayer("[5, 2]", "{type: lstm, units: 3, return_sequences: false}").return_sequences);
  EXPECT_TRUE(FirstLayer("[5, 2]", "{type: gru, units: 3}").return_sequences);
}

TEST(NetworkText, TakesInputsByName) {
  const NetworkSpec network = Loaded(WithNetwork("[4]",
                                                 "{type: dense, units: 4, name: a}\n"
                                                 "{type: dense, units: 4, inputs: input}\n"
                                                 "{type: relu, inputs: [a]}\n"
                                                 "{type: add, inputs: [a, dense2, input]}\n"
                                                 "{type: concat, inputs: [add1, relu1]}"));
  ASSERT_EQ(network.layers.size(), 5U);
  EXPECT_THAT(network.layers[0].inputs, ElementsAre(kNetworkInput));
  EXPECT_THAT(network.layers[1].inputs, ElementsAre(kNetworkInput));
  EXPECT_THAT(network.layers[2].inputs, ElementsAre(0));
  EXPECT_THAT(network.layers[4].inputs, ElementsAre(3, 2));
}

TEST(NetworkText, ReadsLosses) {
  const auto loss = [](std::string_view text) {
    return Loaded(WithNetwork("[4]", "{type: dense, units: 2}", text)).loss;
  };
  EXPECT_EQ(loss("softmax_cross_entropy").type, LossType::kSoftmaxCrossEntropy);
  EXPECT_EQ(loss("binary_cross_entropy").type, LossType::kBinaryCrossEntropy);
  EXPECT_EQ(loss("mse").type, LossType::kMse);
  EXPECT_EQ(loss("dice").type, LossType::kDice);
  EXPECT_EQ(loss("{type: dice}").type, LossType::kDice);
  const LossSpec weighted = loss("{type: softmax_cross_entropy, class_weights: [1, 2.5]}");
  EXPECT_THAT(weighted.class_weights, ElementsAre(1, 2.5));
}

TEST(NetworkText, ReadsOptimizers) {
  const OptimizerSpec sgd = Loaded(WithOptimizer("{type: sgd, learning_rate: 0.1, momentum: 0.9, "
                                                 "nesterov: true, weight_decay: 0.01, clip_norm: "
                                                 "1, clip_value: 0.5, proximal: 0.1}"))
                                .optimizer;
  EXPECT_EQ(sgd.type, OptimizerType::kSgd);
  EXPECT_TRUE(sgd.nesterov);
  EXPECT_EQ(sgd.weight_decay, 0.01);
  EXPECT_EQ(sgd.clip_norm, 1);
  EXPECT_EQ(sgd.clip_value, 0.5);
  EXPECT_EQ(sgd.proximal, 0.1);
  const auto other = [](const std::string& rest) {
    return Loaded(WithOptimizer("{learning_rate: 0.1, " + rest + "}")).optimizer;
  };
  const OptimizerSpec adamw = other("type: adamw, beta1: 0.8, beta2: 0.9, epsilon: 1.0e-6");
  EXPECT_EQ(adamw.type, OptimizerType::kAdamW);
  EXPECT_EQ(adamw.beta2, 0.9);
  EXPECT_EQ(adamw.epsilon, 1e-6);
  EXPECT_EQ(other("type: adagrad").type, OptimizerType::kAdaGrad);
  EXPECT_EQ(other("type: adagrad").epsilon, 1e-10);
  const OptimizerSpec rmsprop = other("type: rmsprop, momentum: 0.5, decay: 0.9");
  EXPECT_EQ(rmsprop.type, OptimizerType::kRmsProp);
  EXPECT_EQ(rmsprop.momentum, 0.5);
  EXPECT_EQ(rmsprop.decay, 0.9);
  EXPECT_EQ(rmsprop.epsilon, 1e-8);
}

TEST(NetworkText, ReadsSchedules) {
  const auto schedule = [](const std::string& text) {
    const std::string mapping = "{type: sgd, learning_rate: 0.1, schedule: " + text + "}";
    return Loaded(WithOptimizer(mapping)).optimizer.schedule;
  };
  EXPECT_EQ(schedule("{type: constant, warmup: 3}").warmup, 3);
  const ScheduleSpec step = schedule("{type: step, every: 5, factor: 0.5}");
  EXPECT_EQ(step.type, ScheduleType::kStep);
  EXPECT_EQ(step.every, 5);
  EXPECT_EQ(step.factor, 0.5);
  const ScheduleSpec cosine = schedule("{type: cosine, warmup: 2, rounds: 20, floor: 0.1}");
  EXPECT_EQ(cosine.type, ScheduleType::kCosine);
  EXPECT_EQ(cosine.warmup, 2);
  EXPECT_EQ(cosine.rounds, 20);
  EXPECT_EQ(cosine.floor, 0.1);
}

TEST(NetworkText, KnowsEveryMetric) {
  const std::string all = "[loss, accuracy, acc, dice, iou, precision, recall, f1, auroc]";
  EXPECT_EQ(test::After("[accuracy, loss]", all), "");
  EXPECT_EQ(test::After("[accuracy, loss]", "[bleu]"),
            "plan.yaml:79: tasks.aggregated_model_validation.kwargs.metrics[0] is \"bleu\", "
            "expected one of acc, accuracy, auroc, dice, f1, iou, loss, mae, precision, recall");
}

constexpr std::string_view kMetrics = "      metrics: [loss]\n";

TEST(NetworkText, HasAMetricForEachLoss) {
  for (const auto& [loss, metric] : {std::pair("mse", "mae"), std::pair("dice", "accuracy")}) {
    std::string text = WithNetwork("[4]", "{type: dense, units: 2}", loss);
    for (std::size_t at; (at = text.find(kMetrics)) != std::string::npos;)
      text.erase(at, kMetrics.size());
    const Result<Plan> plan = test::PlanText().Set(text).Load();
    ASSERT_TRUE(plan) << plan.error().Render();
    EXPECT_THAT(plan->tasks.at({"aggregated_model_validation"}).metrics, ElementsAre(metric));
    EXPECT_THAT(plan->tasks.at({"train"}).metrics, ElementsAre("loss"));
  }
}

TEST(NetworkText, RefusesMetricsThatMeanNothing) {
  EXPECT_EQ(test::After("[accuracy, loss]", "[accuracy, mae]"),
            "plan.yaml:79: tasks.aggregated_model_validation.kwargs.metrics[1] is mae, which means "
            "nothing for this loss and the output [10], expected one of loss, accuracy, acc, dice, "
            "iou, f1, precision, recall, auroc");
  NetworkSpec network;
  network.layers.emplace_back().output = {3, 8, 8};
  EXPECT_THAT(MetricNamesFor(network), Not(Contains("auroc")));
  network.layers.back().output = {3, 1, 1};
  EXPECT_THAT(MetricNamesFor(network), Contains("auroc"));
}

}  // namespace
}  // namespace fx
