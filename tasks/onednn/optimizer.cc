#include "tasks/onednn/optimizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/format.h"

namespace fx::onednn {
namespace {

constexpr const char* kStepName = "adam.step";

std::ptrdiff_t SizeOf(const Parameter& parameter) {
  return static_cast<std::ptrdiff_t>(Floats(parameter.value).size());
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
    : spec_(spec), context_(context), parameters_(parameters), threads_(threads) {
  if (spec_.type == OptimizerType::kAdam) {
    AddSlots("m");
    AddSlots("v");
  } else if (spec_.momentum != 0) {
    AddSlots("momentum");
  }
}

void Optimizer::AddSlots(const std::string& suffix) {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    slots_.push_back({.parameter = i,
                      .name = parameters_[i].name + "." + suffix,
                      .values = ZeroMemory(context_, parameters_[i].value.get_desc())});
  }
}

void Optimizer::Step() {
  ++steps_;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!parameters_[i].trained) continue;
    spec_.type == OptimizerType::kAdam ? StepAdam(parameters_[i], i) : StepSgd(parameters_[i], i);
  }
}

void Optimizer::StepSgd(Parameter& parameter, std::size_t index) {
  float* const w = Floats(parameter.value).data();
  const float* const g = Floats(parameter.gradient).data();
  const std::ptrdiff_t size = SizeOf(parameter);
  const auto rate = static_cast<float>(spec_.learning_rate);
  const auto decay = static_cast<float>(spec_.weight_decay);
  if (slots_.empty()) {
#pragma omp parallel for simd schedule(static) num_threads(threads_)
    for (std::ptrdiff_t i = 0; i < size; ++i) w[i] -= rate * (g[i] + decay * w[i]);
    return;
  }
  const auto momentum = static_cast<float>(spec_.momentum);
  float* const v = Floats(slots_[index].values).data();
#pragma omp parallel for simd schedule(static) num_threads(threads_)
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    v[i] = momentum * v[i] + (g[i] + decay * w[i]);
    w[i] -= rate * v[i];
  }
}

void Optimizer::StepAdam(Parameter& parameter, std::size_t index) {
  float* const w = Floats(parameter.value).data();
  const float* const g = Floats(parameter.gradient).data();
  const std::ptrdiff_t size = SizeOf(parameter);
  const auto decay = static_cast<float>(spec_.weight_decay);
  const auto beta1 = static_cast<float>(spec_.beta1);
  const auto beta2 = static_cast<float>(spec_.beta2);
  const auto rest1 = static_cast<float>(1 - spec_.beta1);
  const auto rest2 = static_cast<float>(1 - spec_.beta2);
  const auto t = static_cast<double>(steps_);
  const auto rate = static_cast<float>(spec_.learning_rate / (1 - std::pow(spec_.beta1, t)));
  const auto unbias = static_cast<float>(1 / (1 - std::pow(spec_.beta2, t)));
  const auto epsilon = static_cast<float>(spec_.epsilon);
  float* const m = Floats(slots_[index].values).data();
  float* const v = Floats(slots_[parameters_.size() + index].values).data();
#pragma omp parallel for simd schedule(static) num_threads(threads_)
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    const float gradient = g[i] + decay * w[i];
    m[i] = beta1 * m[i] + rest1 * gradient;
    v[i] = beta2 * v[i] + rest2 * gradient * gradient;
    w[i] -= rate * m[i] / (std::sqrt(v[i] * unbias) + epsilon);
  }
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
  if (spec_.type == OptimizerType::kAdam) {
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
  if (spec_.type == OptimizerType::kAdam) {
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
  if (spec_.type == OptimizerType::kAdam) {
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
