#include "plan/section_reader.h"

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

void SectionReader::Finish() {
  section_.Get("template");
  section_.Get("settings");
  section_.Get("defaults");
  settings_.Finish();
  section_.Finish();
}

}  // namespace fx
