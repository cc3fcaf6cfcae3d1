#include "tasks/onednn/optimizer.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "core/base/format.h"
#include "plan/model_layout.h"
#include "tasks/learning_rate.h"
#include "tasks/onednn/update_rules.h"

namespace fx::onednn {
namespace {

Layout StateLayout(const OptimizerSpec& spec, const std::vector<Parameter>& parameters) {
  Layout layout;
  for (const Parameter& parameter : parameters) {
    layout.push_back({.name = parameter.name, .shape = parameter.shape});
  }
  return OptimizerStateLayout(spec, layout);
}

// A mean of squares that is below 0, which others may have sent, would make every weight NaN.
Status CheckSquares(const NamedTensor& kept) {
  if (!kept.name.ends_with(".v") && !kept.name.ends_with(".sum")) return Ok();
  for (const float value : kept.tensor.floats()) {
    if (value >= 0) continue;
    return Fail(ErrorCode::kInvalidArgument,
                format("{} has a value of {}, but squares are not below 0", kept.name, value));
  }
  return Ok();
}

}  // namespace

Tensor ToTensor(Context& context, const dnnl::memory& values, const Shape& shape) {
  Tensor tensor(shape);
  Copy(context, values,
       dnnl::memory(PlainDesc(values.get_desc().dims()), context.engine(), tensor.bytes().data()));
  return tensor;
}

void FromTensor(Context& context, const Tensor& tensor, const dnnl::memory& values) {
  // oneDNN has no read-only memories; a reorder does not write to its source.
  auto* data = const_cast<std::byte*>(tensor.bytes().data());
  Copy(context, dnnl::memory(PlainDesc(values.get_desc().dims()), context.engine(), data), values);
}

Optimizer::Optimizer(const OptimizerSpec& spec, Context& context,
                     std::vector<Parameter>& parameters, int threads)
    : spec_(spec),
      context_(context),
      parameters_(parameters),
      threads_(threads),
      state_layout_(StateLayout(spec, parameters)),
      rate_(spec.learning_rate) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].trained) continue;
    trained_.push_back(i);
    gradients_.push_back(Floats(parameters_[i].gradient));
    if (spec_.proximal == 0) continue;
    anchor_.push_back(ZeroMemory(context_, parameters_[i].value.get_desc()));
  }
  const std::size_t slots = state_layout_.size() - (CountsSteps() ? 1 : 0);
  for (std::size_t i = 0; i < slots; ++i) {
    const Parameter& parameter = parameters_[trained_[i % trained_.size()]];
    slots_.push_back(ZeroMemory(context_, parameter.value.get_desc()));
  }
}

void Optimizer::BeginTask(const TaskContext& task) {
  rate_ = LearningRate(spec_, task.round);
  correction_ = Take(task.correction);
  slope_ = Take(task.penalty == nullptr ? nullptr : &task.penalty->slope);
  offset_ = Take(task.penalty == nullptr ? nullptr : &task.penalty->offset);
  for (std::size_t i = 0; i < anchor_.size(); ++i) {
    std::ranges::copy(Floats(parameters_[trained_[i]].value), Floats(anchor_[i]).begin());
  }
}

// In the layouts of the trained parameters; none of null.
std::vector<dnnl::memory> Optimizer::Take(const Model* values) const {
  std::vector<dnnl::memory> taken;
  if (values == nullptr) return taken;
  FX_CHECK(values->size() == trained_.size());
  for (std::size_t i = 0; i < trained_.size(); ++i) {
    const Parameter& parameter = parameters_[trained_[i]];
    FX_CHECK((*values)[i].tensor.shape() == parameter.shape);
    taken.push_back(ZeroMemory(context_, parameter.value.get_desc()));
    FromTensor(context_, (*values)[i].tensor, taken.back());
  }
  return taken;
}

void Optimizer::PrepareGradients() {
  for (std::size_t i = 0; i < anchor_.size(); ++i) {
    AddProximal(gradients_[i], Floats(parameters_[trained_[i]].value), Floats(anchor_[i]),
                spec_.proximal, threads_);
  }
  for (std::size_t i = 0; i < slope_.size(); ++i) {
    AddPenalty(gradients_[i], Floats(parameters_[trained_[i]].value), Floats(slope_[i]),
               Floats(offset_[i]), threads_);
  }
  if (spec_.clip_value > 0) {
    for (const std::span<float> gradient : gradients_) {
      ClipValues(gradient, spec_.clip_value, threads_);
    }
  }
  if (spec_.clip_norm > 0) ClipNorm(gradients_, spec_.clip_norm, threads_);
  for (std::size_t i = 0; i < correction_.size(); ++i) {
    AddTo(gradients_[i], Floats(correction_[i]), threads_);
  }
}

float* Optimizer::SlotOf(std::size_t kind, std::size_t trained) const {
  const std::size_t index = kind * trained_.size() + trained;
  return index < slots_.size() ? Floats(slots_[index]).data() : nullptr;
}

void Optimizer::Step() {
  ++steps_;
  PrepareGradients();
  for (std::size_t i = 0; i < trained_.size(); ++i) {
    const std::span<float> w = Floats(parameters_[trained_[i]].value);
    Apply({.w = w.data(),
           .g = gradients_[i].data(),
           .first = SlotOf(0, i),
           .second = SlotOf(1, i),
           .size = std::ssize(w)},
          spec_, rate_, steps_, threads_);
  }
}

// The count comes last, and is the only scalar: every parameter has an axis.
bool Optimizer::CountsSteps() const {
  return !state_layout_.empty() && state_layout_.back().shape.empty();
}

void Optimizer::Reset() {
  steps_ = 0;
  for (const dnnl::memory& slot : slots_) std::ranges::fill(Floats(slot), 0.0F);
}

Model Optimizer::State() const {
  Model state;
  if (steps_ == 0 || slots_.empty()) return state;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TensorSpec& spec = state_layout_[i];
    state.push_back({.name = spec.name, .tensor = ToTensor(context_, slots_[i], spec.shape)});
  }
  if (CountsSteps()) {
    state.push_back({.name = state_layout_.back().name,
                     .tensor = Tensor::FromFloats({}, std::span(&steps_, 1))});
  }
  return state;
}

Status Optimizer::SetState(const Model& state) {
  Reset();
  if (state.empty()) return Ok();
  if (slots_.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                format("the optimizer keeps no state, but was given {} tensors", state.size()));
  }
  TRY(In(CheckLayout(LayoutOf(state), state_layout_), "the optimizer's state does not fit"));
  for (const NamedTensor& kept : state) TRY(CheckSquares(kept));
  const float steps = CountsSteps() ? state.back().tensor.floats().front() : 1;
  if (!(steps >= 0 && steps <= std::numeric_limits<float>::max())) {
    return Fail(ErrorCode::kInvalidArgument,
                format("{} is {}, expected a number of steps", state.back().name, steps));
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    FromTensor(context_, state[i].tensor, slots_[i]);
  }
  steps_ = steps;
  return Ok();
}

}  // namespace fx::onednn
