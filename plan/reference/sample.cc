// Documents that make the readers ask for every key: nearly empty, but with all mappings in place.
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/format.h"
#include "plan/reference/plan_keys.h"

namespace fx {
namespace {

constexpr std::string_view kEveryMapping = R"(
aggregator:
  settings: {best_model: {}, early_stopping: {}}
collaborator: {}
data_loader:
  settings: {split: {}, augment: {}, categorical: {COLUMN: []}, normalise: {COLUMN: {}}}
task_runner:
  settings: {layers: [{}], loss: {}, optimizer: {schedule: {}}}
network: {}
assigner:
  settings: {task_groups: [{}]}
tasks:
  NAME: {kwargs: {}, aggregation_type: {settings: {}}}
compression_pipeline: {}
straggler_handling_policy: {}
)";

YamlRef Parse(std::string_view text) {
  const Result<YamlRef> parsed = ParseYaml(text, "a sample");
  FX_CHECK(parsed.has_value());
  return *parsed;
}

// a.b[0].c and v: {a: {b: [{c: v}]}}
std::string Nested(std::string_view path, std::string value) {
  constexpr std::string_view kFirst = "[0]";
  while (!path.empty()) {
    const std::size_t dot = path.rfind('.');
    std::string_view name = path.substr(dot == std::string_view::npos ? 0 : dot + 1);
    path = dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
    if (name.ends_with(kFirst)) {
      name.remove_suffix(kFirst.size());
      value = format("[{}]", value);
    }
    value = format("{{{}: {}}}", name, value);
  }
  return value;
}

// `base` with what `more` has: mappings key by key, lists item by item, else `more`.
YamlRef Merged(const YamlRef& base, const YamlRef& more) {
  auto merged = std::make_shared<YamlValue>(*more);
  if (base->is_mapping() && more->is_mapping()) {
    merged->entries = base->entries;
    for (const YamlEntry& entry : more->entries) {
      YamlEntry* same = nullptr;
      for (YamlEntry& old : merged->entries) {
        if (KeyText(*old.key) == KeyText(*entry.key)) same = &old;
      }
      if (same == nullptr) {
        merged->entries.push_back(entry);
      } else {
        same->value = Merged(same->value, entry.value);
      }
    }
  } else if (base->is_sequence() && more->is_sequence() && base->items.size() == 1) {
    merged->items.front() = Merged(base->items.front(), more->items.front());
  }
  return merged;
}

YamlRef Fill(std::string_view text, const SampleValues& values) {
  YamlRef document = Parse(text);
  for (const auto& [path, value] : values) document = Merged(document, Parse(Nested(path, value)));
  return document;
}

}  // namespace

YamlRef SampleDocument(const SampleValues& values) {
  return Fill(kEveryMapping, values);
}

YamlRef BareDocument(const SampleValues& values) {
  return Fill("{}", values);
}

}  // namespace fx
