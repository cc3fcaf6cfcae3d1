// fx plan freeze: a copy of the plan that nobody can edit by accident, named by its digest.
#include "core/base/format.h"
#include "fx/plan/commands.h"
#include "fx/plan/frozen_plan.h"
#include "fx/plan/named_plans.h"
#include "fx/workspace/marker.h"

namespace fx {
namespace {

class PlanFreeze : public Command {
 public:
  std::string_view noun() const override { return "plan"; }
  std::string_view verb() const override { return "freeze"; }
  std::string_view summary() const override {
    return "Write a read-only copy of the plan, with its hash in the file's name";
  }
  std::string_view example() const override { return "fx plan freeze"; }

  void Declare(Flags& flags) override {
    flags.WorkspaceFile("-p,--plan_config", &plan_, "The plan");
  }

  Status Run(Io& io) override { return In(Freeze(io), "cannot freeze the plan"); }

 private:
  Status Freeze(Io& io) const {
    TRY(RequireWorkspace("."));
    const Path frozen = TRY(FreezePlan(plan_, kColsFile));
    io.out << format("Frozen plan  {}\n", frozen.string());
    return Ok();
  }

  std::string plan_ = kPlanFile;
};

}  // namespace

std::unique_ptr<Command> MakePlanFreeze() {
  return std::make_unique<PlanFreeze>();
}

}  // namespace fx
