// The list of layers: their names, and what each of them reads.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "core/base/format.h"
#include "plan/names_check.h"
#include "plan/read_network.h"

namespace fx {
namespace {

constexpr std::size_t kMaxLayers = 1000;
constexpr std::string_view kSample = "input";  // as a name in `inputs`

bool Joins(LayerType type) {
  return type == LayerType::kConcat || type == LayerType::kAdd;
}

class LayerList {
 public:
  LayerList(std::string path, const YamlValue& list, Complaints& complaints)
      : path_(std::move(path)), list_(list), complaints_(complaints) {}

  // Names come first: a layer may be asked for before it is there, and the complaint says so.
  bool Read(std::vector<LayerSpec>& layers) {
    const std::size_t complaints_before = complaints_.size();
    bool typed = true;
    for (std::size_t i = 0; i < list_.items.size(); ++i) {
      typed &= ReadLayer(list_.items[i], PathOf(i), layers.emplace_back());
    }
    // Without all types not all made-up names are known.
    for (std::size_t i = 0; typed && i < layers.size(); ++i) ReadInputs(layers, i);
    return complaints_.size() == complaints_before;
  }

 private:
  std::string PathOf(std::size_t i) const { return format("{}[{}]", path_, i); }

  // False if the type is none.
  bool ReadLayer(const YamlRef& value, const std::string& path, LayerSpec& layer) {
    MappingReader reader(value, path, complaints_);
    layer.line = value->line;
    int type = -1;
    reader.Require("type", "the kind of layer, such as conv2d");
    reader.Pick("type", LayerChoices(), type);
    if (type < 0) return false;
    layer.type = static_cast<LayerType>(type);
    layer.name = format("{}{}", LayerNamePrefix(layer.type), ++count_[layer.type]);
    reader.Text("name", layer.name);
    CheckName(reader, layer);
    if (Joins(layer.type)) {
      reader.Require("inputs", "the names of the layers it joins, such as [conv1, conv2]");
    } else {
      reader.Get("inputs");
    }
    reader.Note("inputs", {.kind = Joins(layer.type) ? "list of names" : "name"});
    ReadLayerSettings(reader, complaints_, layer);
    reader.Finish();
    return true;
  }

  void CheckName(MappingReader& reader, const LayerSpec& layer) {
    const std::string problem = LayerNameProblem(layer.name);
    if (!problem.empty()) reader.Complain("name", format("is \"{}\", {}", layer.name, problem));
    if (layer.name == kSample) {
      reader.Complain("name", "is input, which means the sample; choose another name");
    }
    const auto place = static_cast<std::int64_t>(lines_.size());
    lines_.push_back(layer.line);
    const auto [it, fresh] = places_.emplace(layer.name, place);
    if (fresh) return;
    reader.Complain("name", format("is {}, as is the layer on line {}; names must differ",
                                   layer.name, lines_[static_cast<std::size_t>(it->second)]));
  }

  // A name, or a list of names.
  void ReadInputs(std::vector<LayerSpec>& layers, std::size_t i) {
    const YamlRef found = list_.items[i]->Find("inputs");
    if (!found) return;
    const std::string path = PathOf(i) + ".inputs";
    LayerSpec& layer = layers[i];
    if (!found->is_sequence()) {
      ReadInput(*found, path, i, layer);
    }
    const std::size_t names = found->is_sequence() ? found->items.size() : 1;
    const bool joins = Joins(layer.type);
    if (joins ? names < 2 : names != 1) {
      complaints_.Add(*found, format("{} has {} name{}, expected {}", path, names,
                                     names == 1 ? "" : "s", joins ? "two or more" : "one"));
      return;
    }
    for (std::size_t k = 0; k < found->items.size(); ++k) {
      ReadInput(*found->items[k], format("{}[{}]", path, k), i, layer);
    }
  }

  void ReadInput(const YamlValue& value, const std::string& path, std::size_t reader,
                 LayerSpec& layer) {
    std::string name;
    if (!ReadText(value, path, complaints_, name)) return;
    if (name == kSample) {
      layer.inputs.push_back(kNetworkInput);
      return;
    }
    const auto found = places_.find(name);
    if (found == places_.end()) {
      complaints_.Add(value, format("{} is \"{}\", which is no layer, {}", path, name,
                                    Suggest(name, NamesBefore(reader))));
    } else if (found->second >= static_cast<std::int64_t>(reader)) {
      complaints_.Add(value,
                      format("{} is {}, {}; expected a layer before it, or input", path, name,
                             found->second == static_cast<std::int64_t>(reader)
                                 ? "the layer itself"
                                 : format("which comes later, on line {}",
                                          lines_[static_cast<std::size_t>(found->second)])));
    } else {
      layer.inputs.push_back(found->second);
    }
  }

  std::vector<std::string> NamesBefore(std::size_t reader) const {
    std::vector<std::string> names = {std::string(kSample)};
    for (const auto& [name, place] : places_) {
      if (place < static_cast<std::int64_t>(reader)) names.push_back(name);
    }
    return names;
  }

  std::string path_;
  const YamlValue& list_;
  Complaints& complaints_;
  std::map<LayerType, int> count_;
  std::map<std::string, std::int64_t, std::less<>> places_;
  std::vector<int> lines_;  // of each place
};

}  // namespace

bool ReadLayers(MappingReader& settings, Complaints& complaints, std::vector<LayerSpec>& out) {
  const YamlRef list = settings.Require("layers", "a list of layers");
  if (!list) return false;
  if (!list->is_sequence() || list->items.empty() || list->items.size() > kMaxLayers) {
    settings.Complain(
        "layers", format("is {}, expected a list of 1 to {} layers", Describe(*list), kMaxLayers));
    return false;
  }
  return LayerList(settings.PathOf("layers"), *list, complaints).Read(out);
}

}  // namespace fx
