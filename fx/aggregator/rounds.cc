#include "fx/aggregator/rounds.h"

#include <optional>
#include <string>

#include "aggregator/state_folder.h"
#include "core/base/format.h"
#include "fx/aggregator/admin.h"
#include "fx/stop_on_signal.h"
#include "plan/load.h"

namespace fx {
namespace {

class RoundCommand : public Command {
 public:
  std::string_view noun() const override { return "aggregator"; }

  void Declare(Flags& flags) override {
    flags.WorkspaceFile("-p,--plan", &plan_, "The federation's plan");
    flags.WorkspaceFile("-c,--authorized_cols", &cols_, "The collaborators that may take part");
  }

 protected:
  Result<Path> StateFolder() const {
    const Plan plan = TRY(LoadPlan(plan_, cols_));
    return aggregator::StatePath(".", plan);
  }

 private:
  std::string plan_ = "plan/plan.yaml";
  std::string cols_ = "plan/cols.yaml";
};

class AggregatorCutOff : public RoundCommand {
 public:
  std::string_view verb() const override { return "cut-off"; }
  std::string_view summary() const override {
    return "Close the open round now, with the collaborators that have done their part";
  }
  std::string_view example() const override { return "fx aggregator cut-off"; }

  Status Run(Io& io) override { return In(CutOff(io), "cannot close the round"); }

 private:
  Status CutOff(Io& io) const {
    const Path folder = TRY(StateFolder());
    TRY(AskForCutOff(folder));
    io.err << "The round is closed; who was not done is asked again in the next one\n";
    return Ok();
  }
};

class AggregatorStop : public RoundCommand {
 public:
  std::string_view verb() const override { return "stop"; }
  std::string_view summary() const override {
    return "End the aggregator after the round that is under way";
  }
  std::string_view example() const override { return "fx aggregator stop --wait"; }

  void Declare(Flags& flags) override {
    RoundCommand::Declare(flags);
    flags.Switch("-w,--wait", &wait_, "Return when the aggregator has ended");
  }

  Status Run(Io& io) override { return In(Stop(io), "cannot stop the aggregator"); }

 private:
  Status Stop(Io& io) const {
    const StopOnSignal signals;
    const Path folder = TRY(StateFolder());
    std::optional<AwaitedEnd> end;
    if (wait_) {
      end = TRY(AskForStopAndWait(folder));
    } else {
      TRY(AskForStop(folder));
    }
    io.err << "The aggregator ends once the round under way is aggregated; fx aggregator start "
              "goes on from there\n";
    if (!end) return Ok();
    TRY(ComesToItsEnd(*end, signals.token()));
    io.err << "The aggregator has ended\n";
    return Ok();
  }

  bool wait_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorCutOff() {
  return std::make_unique<AggregatorCutOff>();
}
std::unique_ptr<Command> MakeAggregatorStop() {
  return std::make_unique<AggregatorStop>();
}

}  // namespace fx
