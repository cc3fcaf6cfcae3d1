#include "plan/merge_defaults.h"

#include <algorithm>
#include <map>

#include "core/base/format.h"

namespace fx {
namespace {

using Entries = std::vector<YamlEntry>;

Entries::iterator FindKey(Entries& entries, std::string_view key) {
  return std::ranges::find_if(
      entries, [&](const YamlEntry& e) { return e.key->is_string() && e.key->scalar.text == key; });
}

YamlRef MakeMapping(const YamlValue& at, Entries entries) {
  auto mapping = std::make_shared<YamlValue>();
  mapping->scalar.kind = YamlKind::kMapping;
  mapping->entries = std::move(entries);
  mapping->file = at.file;
  mapping->line = at.line;
  return mapping;
}

void Set(Entries& entries, std::string_view key, YamlRef value) {
  const auto found = FindKey(entries, key);
  if (found != entries.end()) {
    found->value = std::move(value);
    return;
  }
  auto name = std::make_shared<YamlValue>();
  name->scalar = {.kind = YamlKind::kString, .text = std::string(key)};
  name->file = value->file;
  name->line = value->line;
  entries.push_back({std::move(name), std::move(value)});
}

// `base` overridden key by key; keys compare as text, which is what sections have.
Entries Override(Entries base, const Entries& own) {
  std::map<std::pair<YamlKind, std::string>, std::size_t> places;
  for (std::size_t i = 0; i < base.size(); ++i) {
    places.emplace(std::pair(base[i].key->kind(), KeyText(*base[i].key)), i);
  }
  for (const YamlEntry& entry : own) {
    const auto found = places.find({entry.key->kind(), KeyText(*entry.key)});
    if (found == places.end()) {
      base.push_back(entry);
    } else {
      base[found->second].value = entry.value;
    }
  }
  return base;
}

class Merger {
 public:
  Merger(const Path& workspace, Complaints& complaints)
      : workspace_(workspace), complaints_(complaints) {}

  // Sections that are one value (an alias) stay one value.
  YamlRef Section(const std::string& name, const YamlRef& section) {
    YamlRef& merged = done_[section.get()];
    if (!merged) merged = MergeSection(name, *section);
    return merged;
  }

 private:
  YamlRef MergeSection(const std::string& name, const YamlValue& section) {
    Entries own = section.entries;
    const auto settings = FindKey(own, "settings");
    if (settings == own.end() || settings->value->is_null()) {
      Set(own, "settings", MakeMapping(section, {}));
    }
    const auto defaults = FindKey(own, "defaults");
    if (defaults == own.end()) return MakeMapping(section, std::move(own));
    const YamlRef file = defaults->value;
    own.erase(defaults);
    if (const YamlRef base = file->is_null() ? nullptr : Load(name, *file)) {
      const YamlRef base_settings = base->Find("settings");
      const YamlRef own_settings = FindKey(own, "settings")->value;
      if (base_settings && base_settings->is_mapping() && own_settings->is_mapping()) {
        Set(own, "settings",
            MakeMapping(*own_settings, Override(base_settings->entries, own_settings->entries)));
      }
      own = Override(base->entries, own);
    }
    return MakeMapping(section, std::move(own));
  }

  // The mapping in a defaults file; null after a complaint.
  YamlRef Load(const std::string& section, const YamlValue& file) {
    const std::string path_name = section + ".defaults";
    const Path path = file.is_string() ? Path(file.scalar.text) : Path();
    if (path.empty() || path.is_absolute() || std::ranges::find(path, "..") != path.end()) {
      complaints_.Add(file, format("{} is {}, expected a path inside the workspace, such as "
                                   "plan/defaults/{}.yaml",
                                   path_name, Describe(file), section));
      return nullptr;
    }
    const Result<std::string> text = ReadFile(workspace_ / path, kMaxYamlBytes);
    if (!text) {
      complaints_.Add(file, format("{}: {} (OpenFL reads it from its installation; here it is a "
                                   "file of the workspace: copy it there)",
                                   path_name, text.error().OneLine()));
      return nullptr;
    }
    YamlRef base = ParseYaml(*text, (workspace_ / path).string(), complaints_);
    if (base && !base->is_mapping()) {
      complaints_.Add(
          *base, format("the defaults of {} are {}, expected a mapping", section, Describe(*base)));
      return nullptr;
    }
    return base;
  }

  const Path& workspace_;
  Complaints& complaints_;
  std::map<const YamlValue*, YamlRef> done_;
};

}  // namespace

YamlRef MergeDefaults(const YamlRef& plan, const Path& workspace, Complaints& complaints) {
  Merger merger(workspace, complaints);
  Entries sections;
  for (const YamlEntry& entry : plan->entries) {
    const std::string& name = KeyText(*entry.key);
    if (!entry.value->is_mapping()) {
      sections.push_back(entry);
      continue;
    }
    sections.push_back({entry.key, merger.Section(name, entry.value)});
  }
  return MakeMapping(*plan, std::move(sections));
}

Result<YamlRef> LoadMergedPlan(std::string_view text, const Path& plan_file) {
  Complaints complaints;
  YamlRef document = ParseYaml(text, plan_file.string(), complaints);
  if (document && !document->is_mapping()) {
    complaints.Add(*document, format("the plan is {}, expected sections", Describe(*document)));
  } else if (document) {
    document = MergeDefaults(document, WorkspaceOf(plan_file), complaints);
  }
  TRY(complaints.ToStatus());
  return document;
}

Path WorkspaceOf(const Path& plan_file) {
  const Path folder = plan_file.parent_path();
  return folder.empty() || folder == "." ? Path("..") : folder.parent_path();
}

}  // namespace fx
