#include "fx/aggregator/live_status.h"

#include <string>

#include "core/base/format.h"
#include "fx/status/facts.h"
#include "plan/load.h"

namespace fx {
namespace {

class AggregatorStatus : public Command {
 public:
  std::string_view noun() const override { return "aggregator"; }
  std::string_view verb() const override { return "status"; }
  std::string_view summary() const override {
    return "Say where the running aggregator stands, and which collaborators are there";
  }
  std::string_view example() const override { return "fx aggregator status"; }

  void Declare(Flags& flags) override {
    flags.WorkspaceFile("-p,--plan", &plan_, "The federation's plan");
    flags.WorkspaceFile("-c,--authorized_cols", &cols_, "The collaborators that may take part");
    flags.Switch("--json", &json_, "For programs: one JSON document and nothing else");
  }

  Status Run(Io& io) override { return In(Show(io), "cannot say where the aggregator stands"); }
  bool for_programs() const override { return json_; }

 private:
  Status Show(Io& io) const {
    const Plan plan = TRY(LoadPlan(plan_, cols_));
    StatusFacts facts = TRY(GatherFacts(".", plan));
    if (facts.aggregator && facts.aggregator->silence) return Fail(*facts.aggregator->silence);
    if (!facts.aggregator || !facts.aggregator->presence) {
      return Fail(Error(ErrorCode::kUnavailable,
                        format("no aggregator is running federation {} here", plan.federation_uuid))
                      .Hint("start it: fx aggregator start; where it stood last: fx status"));
    }
    facts.sites.clear();
    io.out << (json_ ? JsonOf(facts) : TextOf(facts));
    return Ok();
  }

  std::string plan_ = "plan/plan.yaml";
  std::string cols_ = "plan/cols.yaml";
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorStatus() {
  return std::make_unique<AggregatorStatus>();
}

}  // namespace fx
