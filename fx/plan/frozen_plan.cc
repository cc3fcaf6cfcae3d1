#include "fx/plan/frozen_plan.h"

#include <string>

#include "core/base/digest.h"
#include "core/base/format.h"
#include "plan/canonical.h"
#include "plan/load.h"
#include "plan/merge_defaults.h"
#include "plan/yaml_value.h"

namespace fx {
namespace {

Status CheckIsInitialized(const Plan& plan, const Path& plan_file) {
  std::string missing;
  if (plan.network.agg_addr == "auto" || plan.network.agg_port == 0) {
    missing = format("{} does not say yet where the aggregator is", plan_file.string());
  } else if (const Path init = WorkspaceOf(plan_file) / plan.aggregator.init_state_path;
             !Exists(init)) {
    missing = format("{}, the initial model, is missing", init.string());
  }
  if (missing.empty()) return Ok();
  return Fail(
      Error(ErrorCode::kFailedPrecondition, missing).Hint("run `fx plan initialize` first"));
}

Path FrozenName(const Plan& plan, const Path& plan_file) {
  return plan_file.parent_path() / format("{}_{}{}", plan_file.stem().string(),
                                          plan.digest.substr(0, 8), plan_file.extension().string());
}

}  // namespace

Result<Path> FreezePlan(const Path& plan_file, const Path& cols_file) {
  const Plan plan = TRY(LoadPlan(plan_file, cols_file));
  TRY(CheckIsInitialized(plan, plan_file));
  const Path frozen = FrozenName(plan, plan_file);
  const std::string text = TRY(ReadFile(plan_file));
  const YamlRef merged = TRY(LoadMergedPlan(text, plan_file));
  TRY(AtomicWrite(frozen, CanonicalYaml(*merged), FileMode::kFrozen));
  return frozen;
}

Result<Path> FindOrFreezePlan(const Path& plan_file, const Path& cols_file) {
  const Plan plan = TRY(LoadPlan(plan_file, cols_file));
  Path frozen = FrozenName(plan, plan_file);
  const auto text = ReadFile(frozen);
  if (text && Sha384Hex(*text) == plan.digest) return frozen;
  return FreezePlan(plan_file, cols_file);
}

}  // namespace fx
