#include "tasks/onednn/optimizer.h"

#include <algorithm>
#include <cstring>

#include "core/base/format.h"
#include "tasks/learning_rate.h"
#include "tasks/onednn/update_rules.h"

namespace fx::onednn {
namespace {

constexpr const char* kStepName = "adam.step";

// What the formula keeps of each parameter, in the order of update_rules.h.
std::vector<std::string> SlotNames(const OptimizerSpec& spec) {
  switch (spec.type) {
    case OptimizerType::kSgd:
      if (spec.momentum == 0) return {};
      return {"momentum"};
    case OptimizerType::kAdam:
    case OptimizerType::kAdamW:
      return {"m", "v"};
    case OptimizerType::kAdaGrad:
      return {"sum"};
    case OptimizerType::kRmsProp:
      if (spec.momentum == 0) return {"v"};
      return {"v", "momentum"};
  }
  FX_CHECK(false);
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
      rate_(spec.learning_rate) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].trained) continue;
    trained_.push_back(i);
    gradients_.push_back(Floats(parameters_[i].gradient));
    if (spec_.proximal == 0) continue;
    anchor_.push_back(ZeroMemory(context_, parameters_[i].value.get_desc()));
  }
  for (const std::string& name : SlotNames(spec_)) AddSlots(name);
}

void Optimizer::AddSlots(const std::string& suffix) {
  for (const std::size_t i : trained_) {
    slots_.push_back({.parameter = i,
                      .name = parameters_[i].name + "." + suffix,
                      .values = ZeroMemory(context_, parameters_[i].value.get_desc())});
  }
}

void Optimizer::BeginTask(Round round) {
  rate_ = LearningRate(spec_, round);
  for (std::size_t i = 0; i < anchor_.size(); ++i) {
    std::ranges::copy(Floats(parameters_[trained_[i]].value), Floats(anchor_[i]).begin());
  }
}

void Optimizer::PrepareGradients() {
  for (std::size_t i = 0; i < anchor_.size(); ++i) {
    AddProximal(gradients_[i], Floats(parameters_[trained_[i]].value), Floats(anchor_[i]),
                spec_.proximal, threads_);
  }
  if (spec_.clip_value > 0) {
    for (const std::span<float> gradient : gradients_) {
      ClipValues(gradient, spec_.clip_value, threads_);
    }
  }
  if (spec_.clip_norm > 0) ClipNorm(gradients_, spec_.clip_norm, threads_);
}

float* Optimizer::SlotOf(std::size_t kind, std::size_t trained) const {
  const std::size_t index = kind * trained_.size() + trained;
  return index < slots_.size() ? Floats(slots_[index].values).data() : nullptr;
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

bool Optimizer::CountsSteps() const {
  return spec_.type == OptimizerType::kAdam || spec_.type == OptimizerType::kAdamW;
}

void Optimizer::Reset() {
  steps_ = 0;
  for (const Slot& slot : slots_) std::ranges::fill(Floats(slot.values), 0.0F);
}

Layout Optimizer::StateLayout() const {
  Layout layout;
  for (const Slot& slot : slots_) {
    layout.push_back({.name = slot.name, .shape = parameters_[slot.parameter].shape});
  }
  if (CountsSteps()) {
    layout.push_back({.name = kStepName, .dtype = DType::kInt64, .shape = {}});
  }
  return layout;
}

Model Optimizer::State() const {
  Model state;
  if (steps_ == 0 || slots_.empty()) return state;
  for (const Slot& slot : slots_) {
    state.push_back({.name = slot.name,
                     .tensor = ToTensor(context_, slot.values, parameters_[slot.parameter].shape)});
  }
  if (CountsSteps()) {
    Tensor step(DType::kInt64, {});
    std::memcpy(step.bytes().data(), &steps_, sizeof steps_);
    state.push_back({.name = kStepName, .tensor = std::move(step)});
  }
  return state;
}

Status Optimizer::SetState(const Model& state) {
  if (state.empty()) {
    Reset();
    return Ok();
  }
  if (slots_.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                format("the optimizer keeps no state, but was given {} tensors", state.size()));
  }
  TRY(In(CheckLayout(LayoutOf(state), StateLayout()), "the optimizer's state does not fit"));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    FromTensor(context_, state[i].tensor, slots_[i].values);
  }
  steps_ = 1;
  if (CountsSteps()) {
    std::memcpy(&steps_, state.back().tensor.bytes().data(), sizeof steps_);
    if (steps_ < 1) {
      Reset();
      return Fail(ErrorCode::kInvalidArgument,
                  format("the optimizer's state is of no step: {} is below 1", kStepName));
    }
  }
  return Ok();
}

}  // namespace fx::onednn
