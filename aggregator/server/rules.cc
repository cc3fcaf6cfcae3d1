#include "aggregator/server/rules.h"

#include <utility>

#include "core/base/format.h"

namespace fx::aggregator {

CallerRules CallersOf(const Plan& plan) {
  return {.identity = {.aggregator_uuid = plan.aggregator_uuid,
                       .federation_uuid = plan.federation_uuid,
                       .plan_digest = plan.digest},
          .authorized = {plan.authorized.begin(), plan.authorized.end()},
          .require_certificate = plan.network.tls && plan.network.require_client_auth};
}

Result<UploadRules> UploadsOf(const Plan& plan, const Layout& layout) {
  std::map<TaskName, bool> tasks;
  for (const auto& [name, task] : plan.tasks) tasks[name] = task.function == TaskFunction::kTrain;
  UploadRules rules = MakeUploadRules(layout, plan.aggregator.max_update_bytes, std::move(tasks));
  if (rules.map.size <= rules.max_update_bytes) return rules;
  return Fail(
      Error(ErrorCode::kInvalidArgument, format("a model of this plan has {} bytes, more than "
                                                "aggregator.settings.max_update_bytes, {}",
                                                rules.map.size, rules.max_update_bytes))
          .Hint("raise max_update_bytes in plan/plan.yaml"));
}

}  // namespace fx::aggregator
