#include "tasks/site_sums.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

namespace fx {
namespace {

Layout Joined(Layout first, const Layout& second) {
  std::ranges::copy(second, std::back_inserter(first));
  return first;
}

// Those from `begin` to `end`, borrowed.
Model ViewOf(const Model& model, std::size_t begin, std::size_t end) {
  Model view;
  for (std::size_t i = begin; i < end; ++i) {
    const auto& [name, tensor] = model[i];
    view.push_back(
        {.name = name, .tensor = Tensor::Borrow(tensor.dtype(), tensor.shape(), tensor.bytes())});
  }
  return view;
}

void Append(Model more, Model& model) {
  std::ranges::move(more, std::back_inserter(model));
}

}  // namespace

Model Zeros(const Layout& layout) {
  Model model;
  for (const TensorSpec& spec : layout) {
    model.push_back({.name = spec.name, .tensor = Tensor(spec.shape)});
  }
  return model;
}

WithSums::WithSums(std::unique_ptr<TaskRunner> runner, Layout (*layout_of)(const Layout&),
                   OptTreatment treatment)
    : runner_(std::move(runner)),
      sums_layout_(layout_of(runner_->layout())),
      layout_(Joined(runner_->layout(), sums_layout_)),
      keeps_optimizer_(treatment == OptTreatment::kContinueLocal) {
  FX_CHECK(treatment != OptTreatment::kContinueGlobal);
  for (std::size_t i = 0; i < runner_->layout().size(); ++i) {
    if (IsTrained(runner_->layout()[i].name)) trained_.push_back(i);
  }
}

Status WithSums::SetParameters(const Model& model) {
  TRY(In(CheckLayout(LayoutOf(model), layout_),
         "the model does not fit the plan's network and its sums over sites"));
  const std::size_t parameters = runner_->layout().size();
  const Model sums = ViewOf(model, parameters, model.size());
  if (!sums.empty()) TRY(Check(sums));
  sums_ = Clone(sums);
  return runner_->SetParameters(ViewOf(model, 0, parameters));
}

Model WithSums::GetParameters() const {
  Model model = runner_->GetParameters();
  Append(Clone(sums_), model);
  return model;
}

Model WithSums::GetOptimizerState() const {
  Model state = Clone(part_);
  if (keeps_optimizer_) Append(runner_->GetOptimizerState(), state);
  return state;
}

Status WithSums::SetOptimizerState(const Model& state) {
  part_.clear();
  const std::size_t size = std::min(state.size(), sums_layout_.size());
  const Model part = ViewOf(state, 0, size);
  TRY(runner_->SetOptimizerState(ViewOf(state, size, state.size())));
  if (state.empty()) return Ok();
  TRY(In(CheckLayout(LayoutOf(part), sums_layout_),
         "the site's part of the sums does not fit the plan"));
  TRY(Check(part));
  part_ = Clone(part);
  return Ok();
}

void WithSums::ResetOptimizer() {
  part_.clear();
  runner_->ResetOptimizer();
}

Result<TaskReport> WithSums::Validate(const TaskSpec& task, const TaskContext& context) {
  return runner_->Validate(task, context);
}

void WithSums::NeedPart() {
  if (part_.empty()) part_ = Zeros(sums_layout_);
}

void WithSums::Replace(std::size_t tensor, std::size_t i, double part) {
  float& own = part_[tensor].tensor.floats()[i];
  float& sum = sums_[tensor].tensor.floats()[i];
  const double others = static_cast<double>(sum) - static_cast<double>(own);
  own = static_cast<float>(part);
  sum = static_cast<float>(others + static_cast<double>(own));
}

}  // namespace fx
