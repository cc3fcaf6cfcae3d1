#include "tasks/lazy_runner.h"

#include <utility>

namespace fx {
namespace {

class LazyRunner final : public TaskRunner {
 public:
  using Make = std::function<Result<std::unique_ptr<TaskRunner>>()>;

  LazyRunner(Layout layout, Make make) : layout_(std::move(layout)), make_(std::move(make)) {}

  const Layout& layout() const override { return layout_; }

  Status SetParameters(const Model& model) override {
    TRY(Ensure());
    return runner_->SetParameters(model);
  }
  Model GetParameters() const override { return runner_ ? runner_->GetParameters() : Model(); }

  Model GetOptimizerState() const override {
    return runner_ ? runner_->GetOptimizerState() : Model();
  }
  Status SetOptimizerState(const Model& state) override {
    TRY(Ensure());
    return runner_->SetOptimizerState(state);
  }
  void ResetOptimizer() override {
    if (runner_) runner_->ResetOptimizer();
  }

  Result<TaskReport> Train(const TaskSpec& task, const TaskContext& context) override {
    TRY(Ensure());
    return runner_->Train(task, context);
  }
  Result<TaskReport> Validate(const TaskSpec& task, const TaskContext& context) override {
    TRY(Ensure());
    return runner_->Validate(task, context);
  }

 private:
  Status Ensure() {
    if (!runner_) runner_ = TRY(make_());
    return Ok();
  }

  const Layout layout_;
  const Make make_;
  std::unique_ptr<TaskRunner> runner_;
};

}  // namespace

std::unique_ptr<TaskRunner> MakeLazyRunner(
    Layout layout, std::function<Result<std::unique_ptr<TaskRunner>>()> make) {
  return std::make_unique<LazyRunner>(std::move(layout), std::move(make));
}

}  // namespace fx
