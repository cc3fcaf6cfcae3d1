// fx plan set KEY VALUE: changes one value of the plan and nothing else in the file.
#include "core/base/format.h"
#include "core/base/replace_file.h"
#include "fx/plan/commands.h"
#include "fx/plan/named_plans.h"
#include "fx/workspace/marker.h"
#include "plan/edit.h"
#include "plan/load.h"
#include "plan/yaml_value.h"

namespace fx {
namespace {

class PlanSet : public Command {
 public:
  std::string_view noun() const override { return "plan"; }
  std::string_view verb() const override { return "set"; }
  std::string_view summary() const override {
    return "Change one value of the plan; comments and order stay";
  }
  std::string_view example() const override {
    return "fx plan set aggregator.settings.rounds_to_train 20";
  }

  void Declare(Flags& flags) override {
    flags.RequiredText("KEY", &key_, "Which value: network.settings.agg_port");
    flags.RequiredText("VALUE", &value_, "Its new value, as it would stand in the plan");
    flags.WorkspaceFile("-p,--plan_config", &plan_, "The plan");
    flags.WorkspaceFile("-c,--cols_config", &cols_, "The collaborators that may take part");
  }

  Status Run(Io& io) override { return In(Set(io), "cannot change the plan"); }

 private:
  Status Set(Io& io) const {
    TRY(RequireWorkspace("."));
    const std::string text = TRY(ReadFile(plan_, kMaxYamlBytes));
    const std::string edited = TRY(SetPlanValue(text, key_, value_.empty() ? "''" : value_));
    const Result<Plan> after = LoadPlanText(edited, plan_, cols_);
    // A plan that was wrong before may be repaired one value at a time.
    const bool was_good = LoadPlanText(text, plan_, cols_).has_value();
    if (!after && was_good) return Fail(after.error());
    if (edited != text) TRY(ReplaceFile(plan_, edited));
    io.out << format("{}: {}  (in {})\n", key_, value_, plan_);
    if (!after) {
      io.err << after.error().Render();
    } else {
      io.err << format("Plan hash {}: whoever has the plan needs it anew.\n", after->digest);
    }
    return Ok();
  }

  std::string key_, value_;
  std::string plan_ = kPlanFile;
  std::string cols_ = kColsFile;
};

}  // namespace

std::unique_ptr<Command> MakePlanSet() {
  return std::make_unique<PlanSet>();
}

}  // namespace fx
