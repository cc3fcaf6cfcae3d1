#include "tasks/site_runner.h"

#include <utility>

#include "plan/model_layout.h"
#include "tasks/control_variates.h"
#include "tasks/curvature.h"
#include "tasks/shared_optimizer.h"

namespace fx {

Result<std::unique_ptr<TaskRunner>> MakeSiteRunner(const Plan& plan, const DataLoader& data) {
  auto runner = TRY(MakeTaskRunner(plan.task_runner, plan.data_loader, data));
  if (UsesControlVariates(plan)) {
    return WithControlVariates(plan.task_runner.optimizer, std::move(runner));
  }
  if (UsesCurvature(plan)) {
    return WithCurvature(plan.collaborator.opt_treatment, std::move(runner));
  }
  if (plan.collaborator.opt_treatment != OptTreatment::kContinueGlobal) return runner;
  return ShareOptimizer(plan, std::move(runner));
}

}  // namespace fx
