#include "fx/workspace/template_catalog.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/base/nearest.h"

namespace fx {

std::vector<WorkspaceTemplate> AllTemplates() {
  static constexpr std::string_view kMark = "/plan/plan.yaml";
  std::vector<WorkspaceTemplate> templates;
  const auto files = internal::EmbeddedTemplateFiles();
  for (const TemplateFile& file : files) {
    if (!file.path.ends_with(kMark)) continue;
    const std::string_view name = file.path.substr(0, file.path.size() - kMark.size());
    WorkspaceTemplate found{.name = std::string(name), .files = {}};
    for (const TemplateFile& f : files) {
      if (!f.path.starts_with(found.name + "/")) continue;
      found.files.push_back({.path = f.path.substr(name.size() + 1), .bytes = f.bytes});
    }
    templates.push_back(std::move(found));
  }
  return templates;
}

Result<WorkspaceTemplate> FindTemplate(std::string_view name) {
  std::vector<std::string> names;
  for (WorkspaceTemplate& t : AllTemplates()) {
    if (t.name == name) return std::move(t);
    names.push_back(t.name);
  }
  std::string list;
  for (const std::string& n : names) list += (list.empty() ? "" : ", ") + n;
  Error error(ErrorCode::kNotFound,
              format("there is no workspace template \"{}\"; there are: {}", name, list));
  const std::string nearest = NearestName(name, names);
  if (nearest.empty()) return Fail(std::move(error));
  return Fail(std::move(error).Hint(format("did you mean \"{}\"?", nearest)));
}

}  // namespace fx
