#include "plan/section_reader.h"

#include <algorithm>

#include "core/base/format.h"

namespace fx {
namespace {

YamlRef NothingAt(const YamlValue& at) {
  auto nothing = std::make_shared<YamlValue>();
  nothing->file = at.file;
  nothing->line = at.line;
  return nothing;
}

YamlRef FindOrNothing(const YamlValue& mapping, std::string_view key) {
  const YamlRef found = mapping.Find(key);
  return found ? found : NothingAt(mapping);
}

}  // namespace

SectionReader::SectionReader(const YamlValue& plan, const std::string& name, Need need,
                             Complaints& complaints)
    : present_(plan.Find(name) != nullptr),
      section_(FindOrNothing(plan, name), name, complaints),
      settings_(FindOrNothing(section_.value(), "settings"), name + ".settings", complaints,
                section_.value().is_mapping() ? MappingReader::IfNothing::kEmpty
                                              : MappingReader::IfNothing::kForgive) {
  if (KeyObserver* observer = complaints.observer()) {
    observer->Note(name, {.kind = "section", .needed = need == Need::kRequired});
  }
  if (!present_ && need == Need::kRequired) {
    complaints.Add(plan, format("the section {} is missing", name));
  } else if (present_ && section_.value().is_null()) {
    complaints.Add(section_.value(),
                   format("{} is nothing, expected a section with template and settings", name));
  }
}

void SectionReader::Template(const std::vector<Choice>& choices, int& value) {
  std::string text;
  section_.Text("template", text);
  section_.Note("template", {.words = &choices});
  if (text.empty()) return section_.Assume("template", NameOf(value, choices));
  std::vector<std::string> names;
  const std::string last = text.starts_with("openfl.") ? text.substr(text.rfind('.') + 1) : text;
  for (const Choice& choice : choices) {
    names.emplace_back(choice.name);
    if (last != choice.name) continue;
    value = choice.value;
    return;
  }
  const bool python = text.find('.') != std::string::npos && !text.starts_with("openfl.");
  section_.Complain("template", format("is \"{}\", {}{}", text, Suggest(last, names),
                                       python ? " (Python classes cannot be run here)" : ""));
}

std::string SectionReader::PythonClass(const std::vector<Choice>& choices) const {
  const YamlRef value = section_.value().Find("template");
  if (!value || !value->is_string()) return "";
  const std::string& text = value->scalar.text;
  const std::size_t dot = text.rfind('.');
  const std::string_view last = std::string_view(text).substr(dot + 1);
  const bool users = !text.starts_with("openfl.") || text.starts_with("openfl.federated.");
  const bool native = std::ranges::find(choices, last, &Choice::name) != choices.end();
  return dot == std::string::npos || native || !users ? "" : text;
}

void SectionReader::Finish() {
  settings_.Finish();
  FinishUnjudged();
}

void SectionReader::FinishUnjudged() {
  section_.Get("template");
  section_.Get("settings");
  section_.Get("defaults");
  section_.Note("defaults", {.kind = "path"});
  section_.Finish();
}

}  // namespace fx
