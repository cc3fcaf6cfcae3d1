// The section task_runner: a network of layers, its loss and its optimizer.
#include <array>
#include <map>

#include "core/base/format.h"
#include "plan/names_check.h"
#include "plan/read_sections.h"
#include "plan/section_reader.h"

namespace fx {
namespace {

using Open = MappingReader::Open;

constexpr std::size_t kMaxLayers = 1000;
constexpr std::int64_t kMaxChannels = 1 << 16;
constexpr std::int64_t kMaxUnits = 1 << 20;
constexpr std::int64_t kMaxKernel = 1024;

struct LayerKind {
  LayerType type;
  std::string_view word;    // as the plan spells it
  std::string_view prefix;  // of a name made up for it: conv1, conv2
};
constexpr std::array<LayerKind, 6> kLayerKinds = {{{LayerType::kConv2d, "conv2d", "conv"},
                                                   {LayerType::kMaxPool, "max_pool", "pool"},
                                                   {LayerType::kDense, "dense", "dense"},
                                                   {LayerType::kRelu, "relu", "relu"},
                                                   {LayerType::kDropout, "dropout", "dropout"},
                                                   {LayerType::kFlatten, "flatten", "flatten"}}};

const LayerKind& KindOf(LayerType type) {
  return kLayerKinds[static_cast<std::size_t>(type)];
}

// 5 or [5, 3]: height and width.
void ReadPair(MappingReader& reader, std::string_view key, std::array<std::int64_t, 2>& pair,
              std::int64_t low, Complaints& complaints) {
  const YamlRef found = reader.Get(key);
  if (!found) return;
  if (!found->is_sequence()) {
    if (ReadInteger(*found, reader.PathOf(key), low, kMaxKernel, complaints, pair[0]))
      pair[1] = pair[0];
    return;
  }
  if (found->items.size() != 2) {
    reader.Complain(
        key, format("has {} numbers, expected one, or [height, width]", found->items.size()));
    return;
  }
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    ReadInteger(*found->items[i], format("{}[{}]", reader.PathOf(key), i), low, kMaxKernel,
                complaints, pair[i]);
  }
}

void ReadWindow(MappingReader& reader, LayerSpec& layer, Complaints& complaints) {
  reader.Require("kernel", "its size, such as 3 or [3, 3]");
  layer.kernel[0] = layer.kernel[1] = 1;  // something to go on with
  ReadPair(reader, "kernel", layer.kernel, 1, complaints);
  if (layer.type == LayerType::kMaxPool) layer.stride = layer.kernel;
  ReadPair(reader, "stride", layer.stride, 1, complaints);
  if (layer.type == LayerType::kConv2d) ReadPair(reader, "padding", layer.padding, 0, complaints);
}

void ReadLayerSettings(MappingReader& reader, LayerSpec& layer, Complaints& complaints) {
  switch (layer.type) {
    case LayerType::kConv2d:
      layer.filters = 1;
      reader.Require("filters", "how many channels it puts out");
      reader.Integer("filters", layer.filters, 1, kMaxChannels);
      ReadWindow(reader, layer, complaints);
      return reader.Bool("bias", layer.bias);
    case LayerType::kMaxPool:
      return ReadWindow(reader, layer, complaints);
    case LayerType::kDense:
      layer.units = 1;
      reader.Require("units", "how many values it puts out");
      reader.Integer("units", layer.units, 1, kMaxUnits);
      return reader.Bool("bias", layer.bias);
    case LayerType::kDropout:
      reader.Require("rate", "the share of values to drop, such as 0.25");
      return reader.Real("rate", layer.rate, 0, 1, Open::kHigh);
    default:
      return;
  }
}

// Reads the list under `layers`; names are unique, and made up where the plan has none.
class LayerList {
 public:
  LayerList(std::string path, Complaints& complaints)
      : path_(std::move(path)), complaints_(complaints) {}

  // False after a complaint: shapes worked out from such layers would only confuse.
  bool Read(const YamlValue& list, std::vector<LayerSpec>& layers) {
    const std::size_t complaints_before = complaints_.size();
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      ReadLayer(list.items[i], format("{}[{}]", path_, i), layers.emplace_back());
    }
    return complaints_.size() == complaints_before;
  }

 private:
  void ReadLayer(const YamlRef& value, const std::string& path, LayerSpec& layer) {
    MappingReader reader(value, path, complaints_);
    layer.line = value->line;
    int type = -1;
    std::vector<Choice> choices;
    for (const LayerKind& kind : kLayerKinds)
      choices.push_back({kind.word, static_cast<int>(kind.type)});
    reader.Require("type", "the kind of layer, such as conv2d");
    reader.Pick("type", choices, type);
    if (type < 0) return;
    layer.type = static_cast<LayerType>(type);
    layer.name = format("{}{}", KindOf(layer.type).prefix, ++count_[layer.type]);
    reader.Text("name", layer.name);
    CheckName(reader, layer);
    ReadLayerSettings(reader, layer, complaints_);
    reader.Finish();
  }

  void CheckName(MappingReader& reader, const LayerSpec& layer) {
    const std::string problem = LayerNameProblem(layer.name);
    if (!problem.empty()) reader.Complain("name", format("is \"{}\", {}", layer.name, problem));
    const auto [it, fresh] = lines_.emplace(layer.name, layer.line);
    if (fresh) return;
    reader.Complain("name", format("is {}, as is the layer on line {}; names must differ",
                                   layer.name, it->second));
  }

  std::string path_;
  Complaints& complaints_;
  std::map<LayerType, int> count_;
  std::map<std::string, int> lines_;
};

void ReadOptimizer(MappingReader& settings, Complaints& complaints, OptimizerSpec& out) {
  const YamlRef value = settings.Require("optimizer", "such as {type: sgd, learning_rate: 0.01}");
  if (!value) return;
  MappingReader reader(value, settings.PathOf("optimizer"), complaints);
  reader.Require("type", "sgd or adam");
  int type = static_cast<int>(out.type);
  reader.Pick("type",
              {{"sgd", static_cast<int>(OptimizerType::kSgd)},
               {"adam", static_cast<int>(OptimizerType::kAdam)}},
              type);
  out.type = static_cast<OptimizerType>(type);
  reader.Require("learning_rate", "a number such as 0.01");
  reader.Real("learning_rate", out.learning_rate, 0, 1000, Open::kLow);
  reader.Real("weight_decay", out.weight_decay, 0, 1);
  if (out.type == OptimizerType::kSgd) {
    reader.Real("momentum", out.momentum, 0, 1, Open::kHigh);
  } else {
    reader.Real("beta1", out.beta1, 0, 1, Open::kHigh);
    reader.Real("beta2", out.beta2, 0, 1, Open::kHigh);
    reader.Real("epsilon", out.epsilon, 0, 1, Open::kLow);
  }
  reader.Finish();
}

bool ReadInputShape(MappingReader& settings, Complaints& complaints, Shape& out) {
  const YamlRef value =
      settings.Require("input_shape", "the shape of one sample, such as [1, 28, 28]");
  if (!value) return false;
  if (!value->is_sequence() || (value->items.size() != 1 && value->items.size() != 3)) {
    settings.Complain(
        "input_shape",
        format("is {}, expected [features] or [channels, height, width]", Describe(*value)));
    return false;
  }
  bool good = true;
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    std::int64_t extent = 0;
    good &= ReadInteger(*value->items[i], format("{}[{}]", settings.PathOf("input_shape"), i), 1,
                        kMaxUnits, complaints, extent);
    out.push_back(extent);
  }
  return good;
}

bool ReadLayers(MappingReader& settings, Complaints& complaints, std::vector<LayerSpec>& out) {
  const YamlRef list = settings.Require("layers", "a list of layers");
  if (!list) return false;
  if (!list->is_sequence() || list->items.empty() || list->items.size() > kMaxLayers) {
    settings.Complain(
        "layers", format("is {}, expected a list of 1 to {} layers", Describe(*list), kMaxLayers));
    return false;
  }
  return LayerList(settings.PathOf("layers"), complaints).Read(*list, out);
}

// Complains at the first layer that does not fit what comes before it.
void FitLayers(MappingReader& settings, Complaints& complaints, NetworkSpec& network) {
  const Status fits = InferShapes(network);
  if (fits) return;
  std::size_t i = 0;
  while (i + 1 < network.layers.size() && !network.layers[i + 1].input.empty()) ++i;
  const YamlRef layers = settings.Get("layers");
  complaints.Add(*layers->items[i],
                 format("{}[{}]: {}", settings.PathOf("layers"), i, fits.error().message()));
}

}  // namespace

void ReadTaskRunner(const YamlValue& plan, Complaints& complaints, NetworkSpec& out) {
  SectionReader section(plan, "task_runner", SectionReader::Need::kRequired, complaints);
  int ignored = 0;
  section.Template({{"NativeTaskRunner", 0}}, ignored);
  MappingReader& s = section.settings();
  auto seed = static_cast<std::int64_t>(out.seed);
  s.Integer("seed", seed, 0, INT64_MAX);
  out.seed = static_cast<std::uint64_t>(seed);
  std::int64_t threads = out.threads;
  s.Integer("threads", threads, 1, 1024);
  out.threads = static_cast<int>(threads);
  int loss = static_cast<int>(out.loss.type);
  s.Pick("loss", {{"softmax_cross_entropy", static_cast<int>(LossType::kSoftmaxCrossEntropy)}},
         loss);
  out.loss.type = static_cast<LossType>(loss);
  ReadOptimizer(s, complaints, out.optimizer);
  const bool shape = ReadInputShape(s, complaints, out.input_shape);
  const bool layers = ReadLayers(s, complaints, out.layers);
  if (shape && layers) FitLayers(s, complaints, out);
  section.Finish();
}

}  // namespace fx
