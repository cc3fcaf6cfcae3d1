#include "plan/resolve.h"

#include "core/base/format.h"
#include "plan/canonical.h"
#include "plan/edit.h"
#include "plan/merge_defaults.h"

namespace fx {
namespace {

bool IsAuto(const YamlValue& plan, std::string_view key) {
  const YamlRef value = FindSetting(plan, "network", key);
  return !value || (value->is_string() && value->scalar.text == "auto");
}

}  // namespace

Result<std::string> ResolvePlan(std::string_view text, const Path& plan_file,
                                const std::string& fqdn) {
  const std::string context =
      format("cannot set the aggregator's address in {}", plan_file.string());
  std::string resolved(text);
  const YamlRef before = TRY(In(LoadMergedPlan(resolved, plan_file), context));
  if (fqdn.empty() && IsAuto(*before, "agg_addr")) {
    return Fail(Error(ErrorCode::kInvalidArgument, "network.settings.agg_addr is auto")
                    .In(context)
                    .Hint("give the aggregator's fully qualified name: -a FQDN"));
  }
  if (!fqdn.empty()) {
    resolved = TRY(
        In(SetPlanValue(resolved, "network.settings.agg_addr", CanonicalScalar(fqdn)), context));
  }
  const YamlRef addressed = TRY(In(LoadMergedPlan(resolved, plan_file), context));
  if (!IsAuto(*addressed, "agg_port")) return resolved;
  const std::uint16_t port = AutomaticPort(PlanDigest(*addressed));
  return In(SetPlanValue(resolved, "network.settings.agg_port", std::to_string(port)), context);
}

}  // namespace fx
