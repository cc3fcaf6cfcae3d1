// The workspace templates, which travel inside the program: every folder of workspace_templates/
// that holds a plan/plan.yaml is one, under its own name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace fx {

struct TemplateFile {
  std::string_view path;  // relative to the workspace, '/' between folders
  std::string_view bytes;
};

struct WorkspaceTemplate {
  std::string name;
  std::vector<TemplateFile> files;  // sorted by path
};

// All templates, sorted by name.
std::vector<WorkspaceTemplate> AllTemplates();

// Refuses an unknown name with kNotFound; the message lists the known ones, the hint the nearest.
Result<WorkspaceTemplate> FindTemplate(std::string_view name);

namespace internal {
// What the build generates: every file below workspace_templates/, sorted by path, which starts
// with the template's name.
std::span<const TemplateFile> EmbeddedTemplateFiles();
}  // namespace internal

}  // namespace fx
