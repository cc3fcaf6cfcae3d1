#include "fx/status/status.h"

#include <string>

#include "collaborator/backoff.h"
#include "core/base/format.h"
#include "fx/status/facts.h"
#include "fx/stop_on_signal.h"
#include "plan/load.h"

namespace fx {
namespace {

class StatusCommand : public Command {
 public:
  std::string_view noun() const override { return "status"; }
  std::string_view verb() const override { return ""; }
  std::string_view summary() const override {
    return "Say where the federation of this workspace stands";
  }
  std::string_view example() const override { return "fx status"; }

  void Declare(Flags& flags) override {
    flags.WorkspaceFile("-p,--plan", &plan_, "The federation's plan");
    flags.WorkspaceFile("-c,--authorized_cols", &cols_, "The collaborators that may take part");
    flags.Switch("--json", &json_, "For programs: one JSON document and nothing else");
    flags.Switch("--watch", &watch_,
                 "Show it again whenever it changes, until the aggregator here is done, or Ctrl-C");
  }

  Status Run(Io& io) override {
    return In(watch_ ? Watch(io) : Show(io), "cannot say where the federation stands");
  }
  bool for_programs() const override { return json_; }

 private:
  Result<StatusFacts> Look() const {
    if (!Exists(plan_)) {
      return Fail(Error(ErrorCode::kNotFound,
                        format("there is no federation here: {} does not exist", plan_))
                      .Hint("run it in a workspace, or name the plan with -p"));
    }
    const Plan plan = TRY(LoadPlan(plan_, cols_));
    StatusFacts facts = TRY(GatherFacts(".", plan));
    if (!facts.aggregator && facts.sites.empty()) {
      return Fail(Error(ErrorCode::kNotFound,
                        format("neither the aggregator nor a collaborator of federation {} was "
                               "ever started in this workspace",
                               plan.federation_uuid))
                      .Hint("an edited plan is a federation of its own; fx aggregator start or fx "
                            "collaborator start begins it"));
    }
    return facts;
  }

  std::string Words(const StatusFacts& facts) const {
    return json_ ? JsonOf(facts) : TextOf(facts);
  }

  Status Show(Io& io) const {
    const StatusFacts facts = TRY(Look());
    io.out << Words(facts);
    return Ok();
  }

  static bool IsOver(const StatusFacts& facts) {
    return facts.aggregator && !facts.aggregator->standing.running &&
           facts.aggregator->standing.state.phase == aggregator::Phase::kFinished;
  }

  Status Watch(Io& io) const {
    constexpr std::int64_t kEveryMs = 1000;
    const StopOnSignal signals;
    std::string shown;
    for (;;) {
      const StatusFacts facts = TRY(Look());
      const std::string words = Words(facts);
      if (words != shown) io.out << (shown.empty() ? "" : "\n") << words << std::flush;
      shown = words;
      if (IsOver(facts) || !collaborator::WaitFor(kEveryMs, signals.token())) return Ok();
    }
  }

  std::string plan_ = "plan/plan.yaml";
  std::string cols_ = "plan/cols.yaml";
  bool json_ = false;
  bool watch_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStatus() {
  return std::make_unique<StatusCommand>();
}

}  // namespace fx
