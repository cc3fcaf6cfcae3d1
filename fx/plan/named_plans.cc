#include "fx/plan/named_plans.h"

#include <algorithm>
#include <cctype>

#include "core/base/format.h"
#include "core/base/replace_file.h"
#include "fx/workspace/marker.h"
#include "plan/canonical.h"
#include "plan/edit.h"
#include "plan/yaml_value.h"

namespace fx {
namespace {

constexpr const char* kNameKey = "current_plan_name";
constexpr std::size_t kLongestName = 64;

bool IsName(const std::string& name) {
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
         std::ranges::all_of(name, allowed);
}

}  // namespace

Result<Path> NamedPlanFile(const std::string& name) {
  if (IsName(name)) return Path(kPlansFolder) / name / "plan.yaml";
  return Fail(Error(ErrorCode::kInvalidArgument, format("\"{}\" cannot name a plan", name))
                  .Hint(format("a name has up to {} letters, digits, '-', '_' and '.', and does "
                               "not start with a dot",
                               kLongestName)));
}

Result<std::vector<std::string>> PlanNames() {
  std::vector<std::string> names;
  if (!Exists(kPlansFolder)) return names;
  for (const Path& folder : TRY(ListFolder(kPlansFolder))) {
    if (Exists(Path(kPlansFolder) / folder.filename() / "plan.yaml")) {
      names.push_back(folder.filename().string());
    }
  }
  return names;
}

Result<std::string> ReadNamedPlan(const std::string& name) {
  const Path file = TRY(NamedPlanFile(name));
  if (Exists(file)) return ReadFile(file, kMaxYamlBytes);
  std::string list;
  for (const std::string& known : TRY(PlanNames())) list += (list.empty() ? "" : ", ") + known;
  return Fail(Error(ErrorCode::kNotFound,
                    format("no plan is kept as \"{}\": {} does not exist", name, file.string()))
                  .Hint(list.empty()
                            ? "fx plan save -n NAME keeps the plan of this workspace under a name"
                            : "there are: " + list));
}

Result<std::string> CurrentPlanName() {
  const std::string text = TRY(ReadFile(kWorkspaceMarker, kMaxYamlBytes));
  const YamlRef marker = TRY(ParseYaml(text, kWorkspaceMarker));
  const YamlRef name = marker->is_mapping() ? marker->Find(kNameKey) : nullptr;
  return name && name->is_string() ? name->scalar.text : kDefaultPlanName;
}

Status SetCurrentPlanName(const std::string& name) {
  const std::string text = TRY(ReadFile(kWorkspaceMarker, kMaxYamlBytes));
  const std::string edited =
      TRY(In(SetPlanValue(text, kNameKey, CanonicalScalar(name)), kWorkspaceMarker));
  return edited == text ? Ok() : ReplaceFile(kWorkspaceMarker, edited);
}

}  // namespace fx
