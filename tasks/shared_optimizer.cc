#include "tasks/shared_optimizer.h"

#include <cstddef>
#include <utility>

#include "core/tensor/state_names.h"
#include "plan/model_layout.h"

namespace fx {
namespace {

class SharedOptimizer final : public TaskRunner {
 public:
  SharedOptimizer(const Plan& plan, std::unique_ptr<TaskRunner> runner)
      : layout_(ModelLayout(plan)),
        parameters_(runner->layout().size()),
        runner_(std::move(runner)) {}

  const Layout& layout() const override { return layout_; }

  Status SetParameters(const Model& model) override {
    TRY(In(CheckLayout(LayoutOf(model), layout_),
           "the model does not fit the plan's network and optimizer"));
    Model parameters, state;
    for (std::size_t i = 0; i < model.size(); ++i) {
      const auto& [name, tensor] = model[i];
      Tensor view = Tensor::Borrow(tensor.dtype(), tensor.shape(), tensor.bytes());
      if (i < parameters_) {
        parameters.push_back({.name = name, .tensor = std::move(view)});
      } else {
        state.push_back(
            {.name = name.substr(kOptimizerStatePrefix.size()), .tensor = std::move(view)});
      }
    }
    TRY(runner_->SetParameters(parameters));
    return runner_->SetOptimizerState(state);
  }

  Model GetParameters() const override {
    Model model = runner_->GetParameters();
    for (NamedTensor& kept : runner_->GetOptimizerState()) {
      kept.name.insert(0, kOptimizerStatePrefix);
      model.push_back(std::move(kept));
    }
    AddZeros(layout_, model);
    return model;
  }

  Model GetOptimizerState() const override { return {}; }
  Status SetOptimizerState(const Model& state) override {
    if (state.empty()) return Ok();
    return Fail(ErrorCode::kInvalidArgument, "the optimizer's state is a part of the model");
  }
  void ResetOptimizer() override {}

  Result<TaskReport> Train(const TaskSpec& task, const TaskContext& context) override {
    return runner_->Train(task, context);
  }
  Result<TaskReport> Validate(const TaskSpec& task, const TaskContext& context) override {
    return runner_->Validate(task, context);
  }

  // The tensors of `layout` that come after those of `model`.
  static void AddZeros(const Layout& layout, Model& model) {
    for (std::size_t i = model.size(); i < layout.size(); ++i) {
      model.push_back({.name = layout[i].name, .tensor = Tensor(layout[i].shape)});
    }
  }

 private:
  const Layout layout_;
  const std::size_t parameters_;  // of the layout's tensors
  const std::unique_ptr<TaskRunner> runner_;
};

}  // namespace

std::unique_ptr<TaskRunner> ShareOptimizer(const Plan& plan, std::unique_ptr<TaskRunner> runner) {
  FX_CHECK(plan.collaborator.opt_treatment == OptTreatment::kContinueGlobal);
  return std::make_unique<SharedOptimizer>(plan, std::move(runner));
}

Model InitialModel(const Plan& plan) {
  Model model = InitialModel(plan.task_runner);
  SharedOptimizer::AddZeros(ModelLayout(plan), model);
  return model;
}

}  // namespace fx
