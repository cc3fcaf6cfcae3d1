#include "plan/explain.h"

#include <algorithm>
#include <utility>

#include "core/base/format.h"
#include "plan/canonical.h"
#include "plan/load.h"
#include "plan/merge_defaults.h"
#include "plan/read_sections.h"

namespace fx {
namespace {

using Values = std::vector<ExplainedValue>;

std::string TextOf(const YamlValue& value) {
  if (value.is_mapping()) return "{}";
  if (value.is_sequence()) return "[]";
  if (value.is_string()) return CanonicalScalar(value.scalar.text);
  return value.is_null() ? "null" : value.source;
}

class Lister {
 public:
  explicit Lister(std::string plan_file) : plan_file_(std::move(plan_file)) {}

  void List(const std::string& key, const YamlValue& value) {
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      List(format("{}[{}]", key, i), *value.items[i]);
    }
    for (const YamlEntry& entry : value.entries) {
      const std::string& name = KeyText(*entry.key);
      List(key.empty() ? name : format("{}.{}", key, name), *entry.value);
    }
    if (value.items.empty() && value.entries.empty()) Add(key, value);
  }

  Values Take() { return std::move(values_); }

 private:
  void Add(const std::string& key, const YamlValue& value) {
    const std::string file = value.file ? *value.file : plan_file_;
    values_.push_back({.key = key,
                       .value = value.scalar,
                       .text = TextOf(value),
                       .origin = file == plan_file_ ? Origin::kPlan : Origin::kDefaults,
                       .place = format("{}:{}", file, value.line)});
  }

  std::string plan_file_;
  Values values_;
};

ExplainedValue BuiltIn(const Assumption& assumption) {
  const Result<YamlRef> parsed = ParseYaml(assumption.value, "a built-in value");
  FX_CHECK(parsed.has_value());
  return {.key = assumption.key,
          .value = (*parsed)->scalar,
          .text = assumption.value,
          .origin = Origin::kBuiltIn,
          .place = ""};
}

std::string_view SectionOf(const ExplainedValue& value) {
  return std::string_view(value.key).substr(0, value.key.find('.'));
}

// Built-in values after the last of their section, sections without any line at the end.
void Insert(Values& values, ExplainedValue assumed) {
  const auto same_section = [&](const ExplainedValue& v) {
    return SectionOf(v) == SectionOf(assumed);
  };
  const auto last = std::find_if(values.rbegin(), values.rend(), same_section);
  values.insert(last == values.rend() ? values.end() : last.base(), std::move(assumed));
}

}  // namespace

Result<std::vector<ExplainedValue>> ExplainPlan(const Path& plan_file, const Path& cols_file) {
  TRY(LoadPlan(plan_file, cols_file));
  const std::string text = TRY(ReadFile(plan_file, kMaxYamlBytes));
  const YamlRef merged = TRY(LoadMergedPlan(text, plan_file));
  Lister lister(plan_file.string());
  lister.List("", *merged);
  Values values = lister.Take();
  // An empty settings mapping that nobody wrote, to be filled by what is assumed.
  std::erase_if(values, [](const ExplainedValue& v) { return v.text == "{}"; });

  Complaints unused;
  Plan plan;
  ReadPlan(*merged, unused, plan);
  for (const Assumption& assumption : unused.assumptions()) Insert(values, BuiltIn(assumption));
  return values;
}

}  // namespace fx
