// What the plan says about one layer besides its name and its inputs: a function for each group of
// types that share their keys.
#include <array>
#include <string>

#include "core/base/format.h"
#include "plan/read_network.h"

namespace fx {
namespace {

using Open = MappingReader::Open;
using Pair = std::array<std::int64_t, 2>;

constexpr std::int64_t kMaxChannels = 1 << 16;
constexpr std::int64_t kMaxKernel = 1024;

// 5 or [5, 3]: height and width.
void ReadPair(MappingReader& reader, std::string_view key, Pair& pair, std::int64_t low,
              Complaints& complaints) {
  const YamlRef found = reader.Get(key);
  reader.Note(key, {.kind = "[height, width]", .numbers = WholeNumbers(low, kMaxKernel)});
  if (!found && pair[0] == pair[1]) reader.Assume(key, std::to_string(pair[0]));
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

// A number from 1 that has no default; 1 is something to go on with.
void RequireCount(MappingReader& reader, std::string_view key, std::string_view what,
                  std::int64_t high, std::int64_t& out) {
  out = 1;
  reader.Require(key, what);
  reader.Integer(key, out, 1, high);
}

void ReadWindow(MappingReader& reader, LayerSpec& layer, Complaints& complaints) {
  reader.Require("kernel", "its size, such as 3 or [3, 3]");
  layer.kernel = {1, 1};
  ReadPair(reader, "kernel", layer.kernel, 1, complaints);
  const bool pools = layer.type == LayerType::kMaxPool || layer.type == LayerType::kAvgPool;
  if (pools) layer.stride = layer.kernel;
  ReadPair(reader, "stride", layer.stride, 1, complaints);
  ReadPair(reader, "padding", layer.padding, 0, complaints);
}

void ReadConvolution(MappingReader& reader, LayerSpec& layer, Complaints& complaints) {
  RequireCount(reader, "filters", "how many channels it puts out", kMaxChannels, layer.filters);
  ReadWindow(reader, layer, complaints);
  reader.Bool("bias", layer.bias);
  if (layer.type == LayerType::kConv2d) {
    ReadPair(reader, "dilation", layer.dilation, 1, complaints);
    reader.Integer("groups", layer.groups, 1, kMaxChannels);
  } else {
    ReadPair(reader, "output_padding", layer.output_padding, 0, complaints);
  }
}

void RequireUnits(MappingReader& reader, LayerSpec& layer) {
  RequireCount(reader, "units", "how many values it puts out", kMaxUnits, layer.units);
}

void ReadNorm(MappingReader& reader, LayerSpec& layer) {
  reader.Real("epsilon", layer.epsilon, 0, 1, Open::kLow);
  if (layer.type == LayerType::kBatchNorm) reader.Real("momentum", layer.momentum, 0, 1);
  if (layer.type == LayerType::kGroupNorm) {
    RequireCount(reader, "groups", "into how many groups it parts the channels", kMaxChannels,
                 layer.groups);
  }
}

void ReadUpsample(MappingReader& reader, LayerSpec& layer, Complaints& complaints) {
  ReadPair(reader, "scale", layer.scale, 1, complaints);
  int picked = static_cast<int>(layer.interpolation);
  reader.Pick("interpolation",
              {{"nearest", static_cast<int>(Interpolation::kNearest)},
               {"bilinear", static_cast<int>(Interpolation::kBilinear)}},
              picked);
  layer.interpolation = static_cast<Interpolation>(picked);
}

void ReadReshape(MappingReader& reader, LayerSpec& layer, Complaints& complaints) {
  const YamlRef value = reader.Require("shape", "the shape it makes, such as [4, 8, 8]");
  reader.Note("shape",
              {.kind = "1 to 3 numbers", .numbers = WholeNumbers(1, kMaxUnits), .list = true});
  if (!value) return;
  if (!value->is_sequence() || value->items.empty() || value->items.size() > 3) {
    reader.Complain("shape",
                    format("is {}, expected a list of one to three numbers", Describe(*value)));
    return;
  }
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    ReadInteger(*value->items[i], format("{}[{}]", reader.PathOf("shape"), i), 1, kMaxUnits,
                complaints, layer.shape.emplace_back(1));
  }
}

}  // namespace

const std::vector<Choice>& LayerChoices() {
  static const std::vector<Choice> choices = [] {
    std::vector<Choice> all;
    for (int type = 0; type <= static_cast<int>(LayerType::kGru); ++type) {
      all.push_back({WordOf(static_cast<LayerType>(type)), type});
    }
    return all;
  }();
  return choices;
}

std::string_view LayerNamePrefix(LayerType type) {
  if (type == LayerType::kConv2d) return "conv";
  if (type == LayerType::kConvTranspose2d) return "conv_transpose";
  if (type == LayerType::kMaxPool) return "pool";
  return WordOf(type);
}

void ReadLayerSettings(MappingReader& layer, Complaints& complaints, LayerSpec& out) {
  switch (out.type) {
    case LayerType::kConv2d:
    case LayerType::kConvTranspose2d:
      return ReadConvolution(layer, out, complaints);
    case LayerType::kMaxPool:
    case LayerType::kAvgPool:
      return ReadWindow(layer, out, complaints);
    case LayerType::kDense:
      RequireUnits(layer, out);
      return layer.Bool("bias", out.bias);
    case LayerType::kDropout:
      layer.Require("rate", "the share of values to drop, such as 0.25");
      return layer.Real("rate", out.rate, 0, 1, Open::kHigh);
    case LayerType::kBatchNorm:
    case LayerType::kLayerNorm:
    case LayerType::kGroupNorm:
      return ReadNorm(layer, out);
    case LayerType::kLeakyRelu:
      return layer.Real("slope", out.slope, 0, 1);
    case LayerType::kReshape:
      return ReadReshape(layer, out, complaints);
    case LayerType::kUpsample:
      return ReadUpsample(layer, out, complaints);
    case LayerType::kEmbedding:
      RequireCount(layer, "entries", "how many different numbers there are", kMaxUnits,
                   out.entries);
      return RequireUnits(layer, out);
    case LayerType::kLstm:
    case LayerType::kGru:
      RequireUnits(layer, out);
      return layer.Bool("return_sequences", out.return_sequences);
    default:
      return;
  }
}

}  // namespace fx
