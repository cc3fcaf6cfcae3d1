#include "tasks/onednn/layer.h"

#include <algorithm>

#include "core/base/format.h"

namespace fx::onednn {

using dnnl::memory;

Parameter* LayerContext::parameter(std::string_view suffix) const {
  const std::string name = format("{}.{}", spec.name, suffix);
  const auto found = std::ranges::find_if(
      parameters, [&](const Parameter* parameter) { return parameter->name == name; });
  return found == parameters.end() ? nullptr : *found;
}

void Parameter::Place(Context& context, const memory::desc& desc) {
  if (value) return;
  value = ZeroMemory(context, desc);
  gradient = ZeroMemory(context, desc);
}

dnnl::primitive_attr Layer::ForwardAttributes() const {
  dnnl::primitive_attr attributes = Context::Attributes();
  if (at_.relu) {
    dnnl::post_ops relu;
    relu.append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
    attributes.set_post_ops(relu);
  }
  return attributes;
}

Parameter* Layer::PlainParameter(std::string_view suffix) {
  Parameter* const parameter = at_.parameter(suffix);
  parameter->Place(at_.context, PlainDesc(parameter->shape));
  return parameter;
}

memory Layer::Weights(Parameter& parameter, const memory::desc& wanted) {
  parameter.Place(at_.context, OfType(wanted, DataType::f32));
  for (const auto& [whose, memory] : loaded_) {
    if (whose == &parameter && memory.get_desc() == wanted) return memory;
  }
  loaded_.emplace_back(&parameter,
                       InLayout(at_.context, parameter.value, wanted, load_, Lifetime::kLasting));
  return loaded_.back().second;
}

memory Layer::InPrecision(const memory& from, Steps& steps) const {
  return InLayout(at_.context, from, OfType(from.get_desc(), at_.precision), steps);
}

memory Layer::GradientOf(Parameter& parameter, const memory::desc& made, Steps& after) {
  if (parameter.gradient.get_desc() == made) return parameter.gradient;
  const memory from = LentMemory(at_.context, made);
  after.push_back(MakeReorder(at_.context, from, parameter.gradient));
  return from;
}

void Layer::Note(const std::string& pass, const char* implementation) {
  implementations_.push_back(format("{} {}", pass, implementation));
}

std::unique_ptr<Layer> MakeLayer(const LayerContext& at) {
  switch (at.spec.type) {
    case LayerType::kConv2d:
      return MakeConv2d(at);
    case LayerType::kConvTranspose2d:
      return MakeConvTranspose2d(at);
    case LayerType::kDense:
      return MakeDense(at);
    case LayerType::kEmbedding:
      return MakeEmbedding(at);
    case LayerType::kMaxPool:
    case LayerType::kAvgPool:
    case LayerType::kGlobalAvgPool:
      return MakePool(at);
    case LayerType::kLstm:
    case LayerType::kGru:
      return MakeRecurrent(at);
    case LayerType::kRelu:
      return MakeRelu(at);
    case LayerType::kDropout:
      return MakeDropout(at);
    case LayerType::kFlatten:
    case LayerType::kReshape:
      return MakeReshape(at);
    case LayerType::kAdd:
      return MakeAdd(at);
    case LayerType::kConcat:
      return MakeConcat(at);
    case LayerType::kLeakyRelu:
    case LayerType::kGelu:
    case LayerType::kSilu:
    case LayerType::kTanh:
    case LayerType::kSigmoid:
      return MakeActivation(at);
    case LayerType::kSoftmax:
      return MakeSoftmax(at);
    case LayerType::kBatchNorm:
      return MakeBatchNorm(at);
    case LayerType::kLayerNorm:
      return MakeLayerNorm(at);
    case LayerType::kGroupNorm:
      return MakeGroupNorm(at);
    case LayerType::kUpsample:
      return MakeUpsample(at);
    default:
      break;
  }
  FX_CHECK(false);
  return nullptr;
}

}  // namespace fx::onednn
