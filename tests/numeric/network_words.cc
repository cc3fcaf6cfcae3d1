#include "tests/numeric/network_words.h"

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>

#include "core/base/format.h"

namespace fx::test {
namespace {

using nlohmann::json;

std::string Describe(const LayerSpec& layer) {
  std::string inputs;
  for (const std::int64_t input : layer.inputs) inputs += format(" {}", input);
  return format(
      "{} of{}: {} to {}; filters {} units {} entries {} groups {} kernel {}x{} stride {}x{} "
      "padding {}x{} dilation {}x{} output_padding {}x{} scale {}x{}{} bias {} sequences {} slope "
      "{} epsilon {} momentum {}\n",
      layer.name, inputs, ToString(layer.input), ToString(layer.output), layer.filters, layer.units,
      layer.entries, layer.groups, layer.kernel[0], layer.kernel[1], layer.stride[0],
      layer.stride[1], layer.padding[0], layer.padding[1], layer.dilation[0], layer.dilation[1],
      layer.output_padding[0], layer.output_padding[1], layer.scale[0], layer.scale[1],
      layer.interpolation == Interpolation::kBilinear ? " bilinear" : "", layer.bias,
      layer.return_sequences, layer.slope, layer.epsilon, layer.momentum);
}

json JsonOf(const LayerSpec& layer) {
  return {{"type", WordOf(layer.type)},
          {"inputs", layer.inputs},
          {"filters", layer.filters},
          {"units", layer.units},
          {"entries", layer.entries},
          {"groups", layer.groups},
          {"kernel", layer.kernel},
          {"stride", layer.stride},
          {"padding", layer.padding},
          {"dilation", layer.dilation},
          {"output_padding", layer.output_padding},
          {"scale", layer.scale},
          {"bilinear", layer.interpolation == Interpolation::kBilinear},
          {"bias", layer.bias},
          {"return_sequences", layer.return_sequences},
          {"slope", layer.slope},
          {"epsilon", layer.epsilon},
          {"momentum", layer.momentum},
          {"input", layer.input},
          {"output", layer.output}};
}

std::string WordOf(ScheduleType type) {
  constexpr std::array kNames = {"constant", "step", "cosine"};
  return kNames.at(static_cast<std::size_t>(type));
}

json JsonOf(const OptimizerSpec& optimizer) {
  return {{"type", NameOf(optimizer.type)},
          {"learning_rate", optimizer.learning_rate},
          {"momentum", optimizer.momentum},
          {"nesterov", optimizer.nesterov},
          {"beta1", optimizer.beta1},
          {"beta2", optimizer.beta2},
          {"decay", optimizer.decay},
          {"epsilon", optimizer.epsilon},
          {"weight_decay", optimizer.weight_decay},
          {"clip_norm", optimizer.clip_norm},
          {"clip_value", optimizer.clip_value},
          {"proximal", optimizer.proximal},
          {"schedule",
           {{"type", WordOf(optimizer.schedule.type)},
            {"warmup", optimizer.schedule.warmup},
            {"every", optimizer.schedule.every},
            {"factor", optimizer.schedule.factor},
            {"rounds", optimizer.schedule.rounds},
            {"floor", optimizer.schedule.floor}}}};
}

}  // namespace

std::string NameOf(LossType type) {
  constexpr std::array kNames = {"softmax_cross_entropy", "binary_cross_entropy", "mse", "dice"};
  return kNames.at(static_cast<std::size_t>(type));
}

std::string NameOf(OptimizerType type) {
  constexpr std::array kNames = {"sgd", "adam", "adamw", "adagrad", "rmsprop"};
  return kNames.at(static_cast<std::size_t>(type));
}

std::string Describe(const NetworkSpec& network) {
  std::string text = format("input {}\n", ToString(network.input_shape));
  for (const LayerSpec& layer : network.layers) text += Describe(layer);
  const OptimizerSpec& optimizer = network.optimizer;
  return text + format(
                    "{}, {} weights; {} rate {} momentum {} nesterov {} decay {} epsilon {} "
                    "weight_decay {} clip {} {} proximal {}; {} from round {}; {} threads\n",
                    NameOf(network.loss.type), network.loss.class_weights.size(),
                    NameOf(optimizer.type), optimizer.learning_rate, optimizer.momentum,
                    optimizer.nesterov, optimizer.decay, optimizer.epsilon, optimizer.weight_decay,
                    optimizer.clip_norm, optimizer.clip_value, optimizer.proximal,
                    WordOf(optimizer.schedule.type), optimizer.schedule.warmup, network.threads);
}

json JsonOf(const NetworkSpec& network) {
  json layers = json::array();
  for (const LayerSpec& layer : network.layers) layers.push_back(JsonOf(layer));
  return {{"layers", layers},
          {"loss", NameOf(network.loss.type)},
          {"class_weights", network.loss.class_weights},
          {"optimizer", JsonOf(network.optimizer)}};
}

}  // namespace fx::test
