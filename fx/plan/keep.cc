// fx plan save, switch and remove: plans kept under names.
#include <filesystem>
#include <system_error>

#include "core/base/digest.h"
#include "core/base/format.h"
#include "core/base/replace_file.h"
#include "fx/plan/commands.h"
#include "fx/plan/named_plans.h"
#include "fx/workspace/marker.h"
#include "plan/yaml_value.h"

namespace fx {
namespace {

// What is about to be replaced, unless it is kept somewhere already. Under a name made of its text,
// so that it replaces no other, and beside the plans that have names, since they are removed.
Status KeepUnsaved(const std::string& next, Io& io) {
  if (!Exists(kPlanFile)) return Ok();
  const std::string text = TRY(ReadFile(kPlanFile, kMaxYamlBytes));
  if (text == next) return Ok();
  for (const std::string& name : TRY(PlanNames())) {
    if (TRY(ReadNamedPlan(name)) == text) return Ok();
  }
  const Path kept = Path(kPlansFolder) / format("unsaved_{}.yaml", Sha384Hex(text).substr(0, 8));
  TRY(MakeFolders(kept.parent_path()));
  TRY(AtomicWrite(kept, text));
  io.err << format("{} had changes that were not saved; they are in {}\n", kPlanFile,
                   kept.string());
  return Ok();
}

// The name is written last: until then the old one is current, and the same command ends what it
// began.
Status UsePlan(const std::string& name, Io& io) {
  const std::string text = TRY(ReadNamedPlan(name));
  TRY(KeepUnsaved(text, io));
  TRY(ReplaceFile(kPlanFile, text));
  TRY(SetCurrentPlanName(name));
  io.out << format("The current plan is: {}\n", name);
  return Ok();
}

class NamedPlanCommand : public Command {
 public:
  std::string_view noun() const override { return "plan"; }
  void Declare(Flags& flags) override { flags.Text("-n,--name", &name_, "Name of the plan"); }

 protected:
  std::string name_ = kDefaultPlanName;
};

class PlanSave : public NamedPlanCommand {
 public:
  std::string_view verb() const override { return "save"; }
  std::string_view summary() const override { return "Keep a copy of the plan under a name"; }
  std::string_view example() const override { return "fx plan save -n small_batches"; }

  Status Run(Io& io) override { return In(Save(io), "cannot save the plan"); }

 private:
  Status Save(Io& io) const {
    TRY(RequireWorkspace("."));
    const Path file = TRY(NamedPlanFile(name_));
    const std::string text = TRY(ReadFile(kPlanFile, kMaxYamlBytes));
    TRY(MakeFolders(file.parent_path()));
    TRY(ReplaceFile(file, text));
    TRY(SetCurrentPlanName(name_));
    io.out << format("Saved {} as {}\n", kPlanFile, file.string());
    return Ok();
  }
};

class PlanSwitch : public NamedPlanCommand {
 public:
  std::string_view verb() const override { return "switch"; }
  std::string_view summary() const override { return "Make a plan that was saved the current one"; }
  std::string_view example() const override { return "fx plan switch -n small_batches"; }

  Status Run(Io& io) override { return In(Switch(io), "cannot switch to another plan"); }

 private:
  Status Switch(Io& io) const {
    TRY(RequireWorkspace("."));
    return UsePlan(name_, io);
  }
};

class PlanRemove : public NamedPlanCommand {
 public:
  std::string_view verb() const override { return "remove"; }
  std::string_view summary() const override { return "Forget a plan that was saved"; }
  std::string_view example() const override { return "fx plan remove -n small_batches"; }

  Status Run(Io& io) override { return In(Remove(io), "cannot remove the plan"); }

 private:
  Status Remove(Io& io) const {
    TRY(RequireWorkspace("."));
    if (name_ == kDefaultPlanName) {
      return Fail(Error(ErrorCode::kInvalidArgument, "the plan \"default\" cannot be removed")
                      .Hint("name another one with -n"));
    }
    TRY(ReadNamedPlan(name_));
    if (TRY(CurrentPlanName()) == name_) TRY(BackToDefault(io));
    const Path folder = TRY(NamedPlanFile(name_)).parent_path();
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    if (error) {
      return Fail(ErrorCode::kFailedPrecondition,
                  format("cannot remove {}: {}", folder.string(), error.message()));
    }
    io.out << format("Removed {}\n", folder.string());
    return Ok();
  }

  // Without a plan saved as "default", plan/plan.yaml stays as it is and gets that name.
  static Status BackToDefault(Io& io) {
    if (Exists(TRY(NamedPlanFile(kDefaultPlanName)))) return UsePlan(kDefaultPlanName, io);
    TRY(SetCurrentPlanName(kDefaultPlanName));
    io.out << format("The current plan is: {}\n", kDefaultPlanName);
    return Ok();
  }
};

}  // namespace

std::unique_ptr<Command> MakePlanSave() {
  return std::make_unique<PlanSave>();
}

std::unique_ptr<Command> MakePlanSwitch() {
  return std::make_unique<PlanSwitch>();
}

std::unique_ptr<Command> MakePlanRemove() {
  return std::make_unique<PlanRemove>();
}

}  // namespace fx
