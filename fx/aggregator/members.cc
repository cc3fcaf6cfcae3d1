#include "fx/aggregator/members.h"

#include <algorithm>
#include <optional>
#include <string>

#include "aggregator/state_folder.h"
#include "core/base/format.h"
#include "fx/aggregator/admin.h"
#include "plan/cols_file.h"
#include "plan/load.h"

namespace fx {
namespace {

bool IsAmong(const CollaboratorName& name, const std::vector<CollaboratorName>& names) {
  return std::ranges::find(names, name) != names.end();
}

// What both verbs have in common: the file is changed, the plan still holds with it, and the
// aggregator that runs is told.
class MembersCommand : public Command {
 public:
  std::string_view noun() const override { return "aggregator"; }

  void Declare(Flags& flags) override {
    flags.RequiredText("-n,--collaborator_name", &name_, "The collaborator");
    flags.WorkspaceFile("-p,--plan", &plan_, "The federation's plan");
    flags.WorkspaceFile("-c,--authorized_cols", &cols_, "The collaborators that may take part");
  }

 protected:
  CollaboratorName name() const { return {name_}; }
  const std::string& cols() const { return cols_; }

  Result<Plan> Load() const { return LoadPlan(plan_, cols_); }

  // Makes the change, if the plan holds with it; one that so few sites cannot carry out yet may get
  // its sites one by one.
  template <typename Change>
  Result<bool> ChangeCols(Change change) const {
    return change(cols_, name(), [this](const std::string& before, const std::string& after) {
      const bool was_good = LoadPlanToRun(plan_, cols_, before).has_value();
      const auto plan =
          was_good ? LoadPlanToRun(plan_, cols_, after) : LoadPlan(plan_, cols_, after);
      if (!plan) return Status(Fail(plan.error()));
      return Judge(*plan);
    });
  }

  // What else the verb asks of the plan as it would be.
  virtual Status Judge(const Plan& /*after*/) const { return Ok(); }

  // The names the aggregator that runs goes by since it was told; none if there is none.
  static Result<std::optional<std::vector<CollaboratorName>>> Tell(const Plan& plan) {
    return AskForMembers(aggregator::StatePath(".", plan));
  }

  Status OtherList() const {
    return Fail(
        Error(ErrorCode::kFailedPrecondition,
              format("{} is changed, but the aggregator that runs goes by another list", cols_))
            .Hint("name the file it was started with: -c FILE"));
  }

 private:
  std::string name_;
  std::string plan_ = "plan/plan.yaml";
  std::string cols_ = "plan/cols.yaml";
};

class AggregatorAdd : public MembersCommand {
 public:
  std::string_view verb() const override { return "add"; }
  std::string_view summary() const override {
    return "Let a collaborator take part, from the next round on";
  }
  std::string_view example() const override { return "fx aggregator add -n hospital3"; }

  Status Run(Io& io) override { return In(Add(io), "cannot add the collaborator"); }

 private:
  Status Add(Io& io) const {
    const Plan plan = TRY(Load());
    const bool added = TRY(ChangeCols(AddCollaboratorToCols));
    const auto members = TRY(Tell(plan));
    if (members && !IsAmong(name(), *members)) return OtherList();
    io.err << format("{} {} {}; {}\n", name().value, added ? "is added to" : "was already in",
                     cols(),
                     members ? "the aggregator gives it tasks from the next round on"
                             : "no aggregator is running, and the next start reads it");
    return Ok();
  }
};

class AggregatorRemove : public MembersCommand {
 public:
  std::string_view verb() const override { return "remove"; }
  std::string_view summary() const override {
    return "Let a collaborator leave for good: no round waits for it any more";
  }
  std::string_view example() const override { return "fx aggregator remove -n hospital3"; }

  Status Run(Io& io) override { return In(Remove(io), "cannot remove the collaborator"); }

 private:
  Status Judge(const Plan& after) const override {
    if (!after.authorized.empty()) return Ok();
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      format("{} is the only collaborator in {}", name().value, cols()))
                    .Hint("add another before, or end the aggregator: fx aggregator stop"));
  }

  Status Remove(Io& io) const {
    const Plan plan = TRY(Load());
    if (!TRY(ChangeCols(RemoveCollaboratorFromCols))) {
      return Fail(ErrorCode::kNotFound, format("{} is not in {}, which lists {}", name().value,
                                               cols(), Listed(plan.authorized)));
    }
    const auto members = TRY(Tell(plan));
    if (members && IsAmong(name(), *members)) return OtherList();
    io.err << format("{} is removed from {}; {}\n", name().value, cols(),
                     members ? "the open round goes on without it"
                             : "no aggregator is running, and the next start goes on without it");
    io.err << format("Its certificate stays valid; to take it back: fx pki revoke {}\n",
                     name().value);
    return Ok();
  }
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorAdd() {
  return std::make_unique<AggregatorAdd>();
}
std::unique_ptr<Command> MakeAggregatorRemove() {
  return std::make_unique<AggregatorRemove>();
}

}  // namespace fx
