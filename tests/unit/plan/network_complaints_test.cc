// Every kind of complaint about a network, with its words.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/plan/network_text.h"

namespace fx {
namespace {

constexpr std::string_view kLayers = "plan.yaml:37: task_runner.settings.layers[0]";
constexpr std::string_view kOptimizer = "plan.yaml:48: task_runner.settings.optimizer";

std::string ComplaintsOf(std::string text) {
  return test::PlanText().Set(std::move(text)).Complaints();
}

// About a network of this one layer, without the place.
std::string OfLayer(std::string_view input_shape, std::string_view layer) {
  const std::string text = ComplaintsOf(test::WithNetwork(input_shape, layer));
  EXPECT_TRUE(text.starts_with(kLayers)) << text;
  return text.substr(std::min(text.size(), kLayers.size()));
}

std::string OfLayers(std::string_view layers) {
  return ComplaintsOf(test::WithNetwork("[4]", layers));
}

std::string OfLoss(std::string_view loss) {
  return ComplaintsOf(test::WithNetwork("[4]", "{type: dense, units: 2}", loss));
}

std::string OfOptimizer(const std::string& rest) {
  const std::string text = ComplaintsOf(test::WithOptimizer("{learning_rate: 0.1, " + rest + "}"));
  EXPECT_TRUE(text.starts_with(kOptimizer)) << text;
  return text.substr(std::min(text.size(), kOptimizer.size()));
}

TEST(NetworkComplaint, OfAMissingKey) {
  EXPECT_EQ(OfLayer("[4]", "{type: embedding, units: 2}"),
            ".entries is missing, expected how many different numbers there are");
  EXPECT_EQ(OfLayer("[4, 4]", "{type: lstm}"),
            ".units is missing, expected how many values it puts out");
  EXPECT_EQ(OfLayer("[4, 4, 4]", "{type: group_norm}"),
            ".groups is missing, expected into how many groups it parts the channels");
  EXPECT_EQ(OfLayer("[4]", "{type: reshape}"),
            ".shape is missing, expected the shape it makes, such as [4, 8, 8]");
  EXPECT_EQ(OfLayer("[4]", "{type: add}"),
            ".inputs is missing, expected the names of the layers it joins, such as [conv1, "
            "conv2]");
}

TEST(NetworkComplaint, OfAKeyOfAnotherType) {
  EXPECT_EQ(OfLayer("[4, 8, 8]", "{type: conv_transpose2d, filters: 1, kernel: 2, dilation: 2}"),
            ".dilation is unknown, expected one of bias, filters, inputs, kernel, name, "
            "output_padding, padding, stride, type");
  EXPECT_EQ(OfLayer("[4]", "{type: layer_norm, momentum: 0.1}"),
            ".momentum is unknown, expected one of epsilon, inputs, name, type");
}

TEST(NetworkComplaint, OfAValueOutOfRange) {
  EXPECT_EQ(OfLayer("[4]", "{type: batch_norm, epsilon: 0}"),
            ".epsilon is 0, expected more than 0, at most 1");
  EXPECT_EQ(OfLayer("[4]", "{type: batch_norm, momentum: 1.5}"),
            ".momentum is 1.5, expected 0 to 1");
  EXPECT_EQ(OfLayer("[4]", "{type: leaky_relu, slope: -1}"), ".slope is -1, expected 0 to 1");
  EXPECT_EQ(OfLayer("[4]", "{type: reshape, shape: [2, -1]}"),
            ".shape[1] is -1, expected a whole number from 1 to 1048576");
  EXPECT_EQ(OfLayer("[4]", "{type: reshape, shape: 4}"),
            ".shape is 4, expected a list of one to three numbers");
  EXPECT_EQ(OfLayer("[4, 4, 4]", "{type: upsample, scale: 0}"),
            ".scale is 0, expected a whole number from 1 to 1024");
  EXPECT_EQ(OfLayer("[4, 4, 4]", "{type: upsample, interpolation: cubic}"),
            ".interpolation is \"cubic\", expected one of bilinear, nearest");
  EXPECT_EQ(OfLayer("[4, 4]", "{type: gru, units: 1, return_sequences: 1}"),
            ".return_sequences is 1, expected true or false");
}

TEST(NetworkComplaint, OfAnInputThatIsNoLayer) {
  EXPECT_EQ(OfLayers("{type: dense, units: 4, name: first}\n{type: relu, inputs: frist}"),
            "plan.yaml:38: task_runner.settings.layers[1].inputs is \"frist\", which is no layer, "
            "did you mean first?");
  EXPECT_EQ(OfLayers("{type: relu}\n{type: add, inputs: [relu1, qqqqqq]}"),
            "plan.yaml:38: task_runner.settings.layers[1].inputs[1] is \"qqqqqq\", which is no "
            "layer, expected one of input, relu1");
}

TEST(NetworkComplaint, OfAnInputThatComesLater) {
  EXPECT_EQ(OfLayers("{type: relu, inputs: tanh1}\n{type: tanh}"),
            "plan.yaml:37: task_runner.settings.layers[0].inputs is tanh1, which comes later, on "
            "line 38; expected a layer before it, or input");
  EXPECT_EQ(OfLayers("{type: add, inputs: [input, add1]}"),
            "plan.yaml:37: task_runner.settings.layers[0].inputs[1] is add1, the layer itself; "
            "expected a layer before it, or input");
}

TEST(NetworkComplaint, OfTooManyOrTooFewInputs) {
  EXPECT_EQ(OfLayers("{type: relu, name: a}\n{type: relu, inputs: [input, a]}"),
            "plan.yaml:38: task_runner.settings.layers[1].inputs has 2 names, expected one");
  EXPECT_EQ(OfLayers("{type: concat, inputs: [input]}"),
            "plan.yaml:37: task_runner.settings.layers[0].inputs has 1 name, expected two or more");
  EXPECT_EQ(OfLayers("{type: concat, inputs: input}"),
            "plan.yaml:37: task_runner.settings.layers[0].inputs has 1 name, expected two or more");
  EXPECT_EQ(OfLayers("{type: relu, inputs: []}"),
            "plan.yaml:37: task_runner.settings.layers[0].inputs has 0 names, expected one");
  EXPECT_EQ(OfLayers("{type: relu, inputs: 3}"),
            "plan.yaml:37: task_runner.settings.layers[0].inputs is 3, expected text (if it is "
            "meant as text, write \"3\")");
}

TEST(NetworkComplaint, OfALayerThatIsCalledInput) {
  EXPECT_EQ(OfLayers("{type: relu, name: input}"),
            "plan.yaml:37: task_runner.settings.layers[0].name is input, which means the sample; "
            "choose another name");
}

TEST(NetworkComplaint, OfALayerThatNobodyReads) {
  EXPECT_EQ(OfLayers("{type: relu}\n{type: tanh}\n{type: gelu, inputs: relu1}"),
            "plan.yaml:38: task_runner.settings.layers[1]: layer tanh1 is not read by any layer, "
            "nor is it the last");
}

TEST(NetworkComplaint, OfShapesThatDoNotFit) {
  EXPECT_EQ(OfLayers("{type: dense, units: 3}\n{type: tanh}\n{type: add, inputs: [tanh1, input]}"),
            "plan.yaml:39: task_runner.settings.layers[2]: layer add1 adds [3] and [4], which must "
            "be alike");
}

TEST(NetworkComplaint, OfALoss) {
  EXPECT_EQ(OfLoss("msee"),
            "plan.yaml:38: task_runner.settings.loss is \"msee\", did you mean mse?");
  EXPECT_EQ(OfLoss("hinge"),
            "plan.yaml:38: task_runner.settings.loss is \"hinge\", expected one of "
            "binary_cross_entropy, dice, mse, softmax_cross_entropy");
  EXPECT_EQ(OfLoss("{class_weights: [1, 1]}"),
            "plan.yaml:38: task_runner.settings.loss.type is missing, expected the loss, such as "
            "softmax_cross_entropy");
  EXPECT_EQ(OfLoss("{type: mse, class_weights: [1, 1]}"),
            "plan.yaml:38: task_runner.settings.loss.class_weights is unknown, expected type");
  EXPECT_EQ(OfLoss("{type: binary_cross_entropy, class_weights: [1, 0]}"),
            "plan.yaml:38: task_runner.settings.loss.class_weights[1] is 0, expected more than 0, "
            "at most 1000000");
  EXPECT_EQ(OfLoss("{type: softmax_cross_entropy, class_weights: 2}"),
            "plan.yaml:38: task_runner.settings.loss.class_weights is 2, expected a list of "
            "numbers, one a class");
  EXPECT_EQ(OfLoss("{type: softmax_cross_entropy, class_weights: [1, 2, 3]}"),
            "plan.yaml:37: task_runner.settings.layers[0]: layer dense1 has the output [2], which "
            "is 2 classes, but there are 3 class weights");
}

TEST(NetworkComplaint, OfAnOptimizer) {
  EXPECT_EQ(OfOptimizer("type: lion"),
            ".type is \"lion\", expected one of adagrad, adam, adamw, rmsprop, sgd");
  EXPECT_EQ(OfOptimizer("type: adam, momentum: 0.9"),
            ".momentum is unknown, expected one of beta1, beta2, clip_norm, clip_value, epsilon, "
            "learning_rate, proximal, schedule, type, weight_decay");
  EXPECT_EQ(OfOptimizer("type: sgd, beta1: 0.9"),
            ".beta1 is unknown, expected one of clip_norm, clip_value, learning_rate, momentum, "
            "nesterov, proximal, schedule, type, weight_decay");
  EXPECT_EQ(OfOptimizer("type: sgd, nesterov: true"),
            ".nesterov is true, which needs a momentum above 0, such as 0.9");
  EXPECT_EQ(OfOptimizer("type: rmsprop, decay: 1"),
            ".decay is 1, expected at least 0, less than 1");
  EXPECT_EQ(OfOptimizer("type: sgd, clip_norm: -1"), ".clip_norm is -1, expected 0 to 1000000");
  EXPECT_EQ(OfOptimizer("type: sgd, clip_value: -1"), ".clip_value is -1, expected 0 to 1000000");
  EXPECT_EQ(OfOptimizer("type: sgd, proximal: -1"), ".proximal is -1, expected 0 to 1000000");
}

TEST(NetworkComplaint, OfASchedule) {
  EXPECT_EQ(OfOptimizer("type: sgd, schedule: step"),
            ".schedule is \"step\", expected a mapping (lines of `key: value`)");
  EXPECT_EQ(OfOptimizer("type: sgd, schedule: {type: linear}"),
            ".schedule.type is \"linear\", expected one of constant, cosine, step");
  EXPECT_EQ(OfOptimizer("type: sgd, schedule: {type: step}"),
            ".schedule.every is missing, expected the number of rounds between two steps");
  EXPECT_EQ(OfOptimizer("type: sgd, schedule: {type: cosine}"),
            ".schedule.rounds is missing, expected the number of rounds in which it comes down");
  EXPECT_EQ(OfOptimizer("type: sgd, schedule: {type: constant, every: 2}"),
            ".schedule.every is unknown, expected one of type, warmup");
  EXPECT_EQ(OfOptimizer("type: sgd, schedule: {type: step, every: 2, factor: 0}"),
            ".schedule.factor is 0, expected more than 0, at most 1");
}

}  // namespace
}  // namespace fx
