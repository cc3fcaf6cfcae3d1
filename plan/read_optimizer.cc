// What training makes small, and how: the loss and the optimizer.
#include <string>

#include "core/base/format.h"
#include "plan/read_network.h"

namespace fx {
namespace {

using Open = MappingReader::Open;

constexpr std::size_t kMaxClasses = 1 << 16;
constexpr std::int64_t kMaxRounds = 1'000'000;
constexpr double kMaxSize = 1e6;

template <typename Enum>
void PickType(MappingReader& reader, const std::vector<Choice>& choices, Enum& type) {
  int picked = static_cast<int>(type);
  reader.Pick("type", choices, picked);
  type = static_cast<Enum>(picked);
}

const std::vector<Choice>& LossChoices() {
  static const std::vector<Choice> choices = {
      {"softmax_cross_entropy", static_cast<int>(LossType::kSoftmaxCrossEntropy)},
      {"binary_cross_entropy", static_cast<int>(LossType::kBinaryCrossEntropy)},
      {"mse", static_cast<int>(LossType::kMse)},
      {"dice", static_cast<int>(LossType::kDice)}};
  return choices;
}

const std::vector<Choice>& OptimizerChoices() {
  static const std::vector<Choice> choices = {
      {"sgd", static_cast<int>(OptimizerType::kSgd)},
      {"adam", static_cast<int>(OptimizerType::kAdam)},
      {"adamw", static_cast<int>(OptimizerType::kAdamW)},
      {"adagrad", static_cast<int>(OptimizerType::kAdaGrad)},
      {"rmsprop", static_cast<int>(OptimizerType::kRmsProp)}};
  return choices;
}

void ReadClassWeights(MappingReader& reader, Complaints& complaints, LossSpec& out) {
  const YamlRef list = reader.Get("class_weights");
  reader.Note("class_weights", {.kind = "a number for each class",
                                .numbers = RealNumbers(0, kMaxSize, Open::kLow),
                                .list = true});
  if (!list) return;
  if (!list->is_sequence() || list->items.empty() || list->items.size() > kMaxClasses) {
    reader.Complain("class_weights",
                    format("is {}, expected a list of numbers, one a class", Describe(*list)));
    return;
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    double& weight = out.class_weights.emplace_back(1);
    ReadReal(*list->items[i], format("{}[{}]", reader.PathOf("class_weights"), i), 0, kMaxSize,
             Open::kLow, complaints, weight);
  }
}

// The keys that only some optimizers have.
void ReadMoments(MappingReader& reader, OptimizerSpec& out) {
  const bool adam = out.type == OptimizerType::kAdam || out.type == OptimizerType::kAdamW;
  if (out.type == OptimizerType::kSgd || out.type == OptimizerType::kRmsProp)
    reader.Real("momentum", out.momentum, 0, 1, Open::kHigh);
  if (out.type == OptimizerType::kSgd) reader.Bool("nesterov", out.nesterov);
  if (out.type == OptimizerType::kRmsProp) reader.Real("decay", out.decay, 0, 1, Open::kHigh);
  if (adam) reader.Real("beta1", out.beta1, 0, 1, Open::kHigh);
  if (adam) reader.Real("beta2", out.beta2, 0, 1, Open::kHigh);
  if (out.type == OptimizerType::kAdaGrad) out.epsilon = 1e-10;
  if (out.type != OptimizerType::kSgd) reader.Real("epsilon", out.epsilon, 0, 1, Open::kLow);
  if (out.nesterov && out.momentum == 0)
    reader.Complain("nesterov", "is true, which needs a momentum above 0, such as 0.9");
}

void ReadSchedule(MappingReader& optimizer, Complaints& complaints, ScheduleSpec& out) {
  const YamlRef value = optimizer.Get("schedule");
  if (!value) return;
  MappingReader reader(value, optimizer.PathOf("schedule"), complaints);
  reader.Require("type", "constant, step or cosine");
  PickType(reader,
           {{"constant", static_cast<int>(ScheduleType::kConstant)},
            {"step", static_cast<int>(ScheduleType::kStep)},
            {"cosine", static_cast<int>(ScheduleType::kCosine)}},
           out.type);
  reader.Integer("warmup", out.warmup, 0, kMaxRounds);
  if (out.type == ScheduleType::kStep) {
    reader.Require("every", "the number of rounds between two steps");
    reader.Integer("every", out.every, 1, kMaxRounds);
    reader.Real("factor", out.factor, 0, 1, Open::kLow);
  }
  if (out.type == ScheduleType::kCosine) {
    reader.Require("rounds", "the number of rounds in which it comes down");
    reader.Integer("rounds", out.rounds, 1, kMaxRounds);
    reader.Real("floor", out.floor, 0, 1);
  }
  reader.Finish();
}

}  // namespace

void ReadLoss(MappingReader& settings, Complaints& complaints, LossSpec& out) {
  const YamlRef value = settings.Get("loss");
  if (!value || !value->is_mapping()) {
    int picked = static_cast<int>(out.type);
    settings.Pick("loss", LossChoices(), picked);
    out.type = static_cast<LossType>(picked);
    return;
  }
  MappingReader reader(value, settings.PathOf("loss"), complaints);
  reader.Require("type", "the loss, such as softmax_cross_entropy");
  PickType(reader, LossChoices(), out.type);
  const bool weighs =
      out.type == LossType::kSoftmaxCrossEntropy || out.type == LossType::kBinaryCrossEntropy;
  if (weighs) ReadClassWeights(reader, complaints, out);
  reader.Finish();
}

void ReadOptimizer(MappingReader& settings, Complaints& complaints, OptimizerSpec& out) {
  const YamlRef value = settings.Require("optimizer", "such as {type: sgd, learning_rate: 0.01}");
  if (!value) return;
  MappingReader reader(value, settings.PathOf("optimizer"), complaints);
  reader.Require("type", "sgd, adam, adamw, adagrad or rmsprop");
  PickType(reader, OptimizerChoices(), out.type);
  reader.Require("learning_rate", "a number such as 0.01");
  reader.Real("learning_rate", out.learning_rate, 0, 1000, Open::kLow);
  ReadMoments(reader, out);
  reader.Real("weight_decay", out.weight_decay, 0, 1);
  reader.Real("clip_norm", out.clip_norm, 0, kMaxSize);
  reader.Real("clip_value", out.clip_value, 0, kMaxSize);
  reader.Real("proximal", out.proximal, 0, kMaxSize);
  ReadSchedule(reader, complaints, out.schedule);
  reader.Finish();
}

}  // namespace fx
