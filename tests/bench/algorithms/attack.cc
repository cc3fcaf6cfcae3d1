#include "tests/bench/algorithms/attack.h"

#include <cstddef>
#include <utility>

#include "core/base/random.h"

namespace fx::bench {
namespace {

constexpr float kFlip = -4;

class Attacker : public TaskRunner {
 public:
  Attacker(Attack attack, std::unique_ptr<TaskRunner> runner)
      : attack_(attack), runner_(std::move(runner)) {}

  const Layout& layout() const override { return runner_->layout(); }
  Status SetParameters(const Model& model) override {
    start_ = Clone(model);
    return runner_->SetParameters(model);
  }
  Model GetParameters() const override { return runner_->GetParameters(); }
  Model GetOptimizerState() const override { return runner_->GetOptimizerState(); }
  Status SetOptimizerState(const Model& state) override {
    return runner_->SetOptimizerState(state);
  }
  void ResetOptimizer() override { runner_->ResetOptimizer(); }

  Result<TaskReport> Train(const TaskSpec& task, const TaskContext& context) override {
    TaskReport report = TRY(runner_->Train(task, context));
    Model lie = Clone(runner_->GetParameters());
    RandomStream draws(1, "noise", HashName(context.collaborator.value), Number(context.round));
    for (std::size_t t = 0; t < lie.size(); ++t) {
      const auto from = start_[t].tensor.floats();
      const auto to = lie[t].tensor.floats();
      for (std::size_t i = 0; i < to.size(); ++i) {
        to[i] = attack_ == Attack::kSignFlip ? from[i] + kFlip * (to[i] - from[i])
                                             : to[i] + static_cast<float>(draws.NextNormal());
      }
    }
    TRY(runner_->SetParameters(lie));
    return report;
  }
  Result<TaskReport> Validate(const TaskSpec& task, const TaskContext& context) override {
    return runner_->Validate(task, context);
  }

 private:
  const Attack attack_;
  const std::unique_ptr<TaskRunner> runner_;
  Model start_;
};

}  // namespace

std::unique_ptr<TaskRunner> Corrupt(Attack attack, std::unique_ptr<TaskRunner> runner) {
  if (attack == Attack::kNone) return runner;
  return std::make_unique<Attacker>(attack, std::move(runner));
}

}  // namespace fx::bench
