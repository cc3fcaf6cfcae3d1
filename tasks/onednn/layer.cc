#include "tasks/onednn/layer.h"

#include "core/base/format.h"

namespace fx::onednn {

using dnnl::memory;

void Parameter::Place(const Context& context, const memory::desc& desc) {
  if (value) return;
  value = ZeroMemory(context, desc);
  gradient = ZeroMemory(context, desc);
}

memory Layer::Weights(Parameter& parameter, const memory::desc& wanted) {
  parameter.Place(at_.context, wanted);
  return InLayout(at_.context, parameter.value, wanted, load_);
}

memory Layer::GradientOf(Parameter& parameter, const memory::desc& made, Steps& after) {
  if (parameter.gradient.get_desc() == made) return parameter.gradient;
  const memory from = ZeroMemory(at_.context, made);
  after.push_back({.primitive = dnnl::reorder(from, parameter.gradient),
                   .arguments = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, parameter.gradient}}});
  return from;
}

void Layer::Note(const std::string& pass, const char* implementation) {
  implementations_.push_back(format("{} {}", pass, implementation));
}

std::unique_ptr<Layer> MakeLayer(const LayerContext& at) {
  switch (at.spec.type) {
    case LayerType::kConv2d:
      return MakeConv2d(at);
    case LayerType::kDense:
      return MakeDense(at);
    case LayerType::kMaxPool:
      return MakeMaxPool(at);
    case LayerType::kRelu:
      return MakeRelu(at);
    case LayerType::kDropout:
      return MakeDropout(at);
    case LayerType::kFlatten:
      return MakeFlatten(at);
  }
  FX_CHECK(false);
  return nullptr;
}

}  // namespace fx::onednn
