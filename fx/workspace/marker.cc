#include "fx/workspace/marker.h"

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::string_view kTemplateKey = "template: ";

}  // namespace

std::string WorkspaceMarkerText(const std::string& template_name) {
  return format("current_plan_name: default\n{}{}\n", kTemplateKey, template_name);
}

Result<std::optional<std::string>> WorkspaceTemplateOf(const Path& folder) {
  const Path marker = folder / kWorkspaceMarker;
  if (!Exists(marker)) return std::nullopt;
  const std::string text = "\n" + TRY(ReadFile(marker));
  const std::size_t found = text.find(format("\n{}", kTemplateKey));
  if (found == std::string::npos) return "";
  const std::size_t begin = found + 1 + kTemplateKey.size();
  return text.substr(begin, text.find('\n', begin) - begin);
}

Status RequireWorkspace(const Path& folder) {
  if (Exists(folder / kWorkspaceMarker)) return Ok();
  return Fail(
      Error(ErrorCode::kFailedPrecondition,
            format("{} is not a workspace: it has no {} file",
                   std::filesystem::absolute(folder).lexically_normal().string(), kWorkspaceMarker))
          .Hint("change into the folder that `fx workspace create` made"));
}

}  // namespace fx
