#include "tasks/onednn/network.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/format.h"
#include "core/tensor/model_file.h"

namespace fx::onednn {
namespace {

std::vector<Parameter*> ParametersOf(std::vector<Parameter>& all, const LayerSpec& layer) {
  std::vector<Parameter*> own;
  for (Parameter& parameter : all) {
    const std::string& name = parameter.name;
    if (name.substr(0, name.rfind('.')) == layer.name) own.push_back(&parameter);
  }
  return own;
}

// As far as a relu before it can tell from signs; see elementwise.cc.
bool KeepsSigns(LayerType type) {
  return type == LayerType::kRelu || type == LayerType::kDropout;
}

bool IsFinite(Context& context, const dnnl::memory& values) {
  const dnnl::memory floats(OfType(values.get_desc(), DataType::f32), context.engine());
  Copy(context, values, floats);
  return FindNonFinite(Floats(floats)) < 0;
}

// The first thing that a network takes, and keeps.
dnnl::memory InputMemory(Context& context, const dnnl::memory::desc& desc) {
  context.arena().Restart();
  context.arena().set_owner(Arena::kForever);
  return LentMemory(context, desc);
}

}  // namespace

std::vector<Parameter> MakeParameters(const NetworkSpec& spec) {
  std::vector<Parameter> parameters;
  for (const TensorSpec& tensor : ParameterLayout(spec)) {
    parameters.push_back({.name = tensor.name,
                          .shape = tensor.shape,
                          .trained = IsTrained(tensor.name),
                          .value = {},
                          .gradient = {}});
  }
  return parameters;
}

Network::Network(const NetworkSpec& spec, Context& context, std::int64_t batch, bool training)
    : spec_(spec),
      context_(context),
      training_(training),
      precision_(spec.precision == Precision::kBfloat16 ? DataType::bf16 : DataType::f32),
      input_(InputMemory(context, PlainDesc(BatchDims(batch, spec.input_shape)))),
      targets_(static_cast<std::size_t>(batch * NumElements(TargetShape(spec)))),
      loss_(spec),
      graph_(spec),
      cast_(spec.layers.size()),
      gather_(spec.layers.size()) {}

Result<std::unique_ptr<Network>> Network::Compile(const NetworkSpec& spec, Context& context,
                                                  std::vector<Parameter>& parameters,
                                                  std::int64_t batch, bool training) {
  auto made = Guarded(format("cannot prepare batches of {} samples", batch), [&] {
    return std::unique_ptr<Network>(new Network(spec, context, batch, training));
  });
  std::unique_ptr<Network> network = TRY(std::move(made));
  for (std::size_t i = 0; i < spec.layers.size(); ++i) TRY(network->AddLayer(i, parameters));
  TRY(network->CompileLoss());
  if (training) TRY(network->CompileBackward());
  return network;
}

Status Network::AddLayer(std::size_t index, std::vector<Parameter>& parameters) {
  const LayerSpec& layer = spec_.layers[index];
  LayerContext at = {
      .context = context_,
      .spec = layer,
      .inputs = {},
      .precision = precision_,
      .output_type = graph_.OnlyFloatLayersRead(index) ? DataType::f32 : precision_,
      .training = training_,
      .relu = graph_.CanRectify(index),
      .already_rectified = layer.type == LayerType::kRelu && graph_.AlreadyRectified(index),
      .gradient_rectified = layer.type == LayerType::kRelu && graph_.GradientRectified(index),
      .may_overwrite = MayOverwrite(index),
      .may_keep_extents = graph_.OnlyDenseReads(index),
      .parameters = ParametersOf(parameters, layer)};
  context_.arena().set_owner(index);
  return Guarded(format("cannot build layer {}", layer.name), [&] {
    for (const std::int64_t input : layer.inputs) at.inputs.push_back(InputOf(index, input));
    layers_.push_back(MakeLayer(at));
    if (!training_) ReleaseAfterForward(index);
  });
}

const dnnl::memory& Network::OutputOf(std::int64_t layer) const {
  return layer == kNetworkInput ? input_ : layers_[static_cast<std::size_t>(layer)]->output();
}

// In the type that the layer reads, which most leave to their input.
dnnl::memory Network::InputOf(std::size_t index, std::int64_t input) {
  const dnnl::memory& from = OutputOf(input);
  DataType type = TypeOf(from);
  if (graph_.NeedsFloats(index)) type = DataType::f32;
  if (graph_.Joins(index) && !SameTypes(spec_.layers[index])) type = precision_;
  return InLayout(context_, from, OfType(from.get_desc(), type), cast_[index]);
}

bool Network::SameTypes(const LayerSpec& layer) const {
  const auto type_of = [&](std::int64_t input) { return TypeOf(OutputOf(input)); };
  return std::ranges::all_of(layer.inputs, [&](std::int64_t input) {
    return type_of(input) == type_of(layer.inputs.front());
  });
}

void Network::ReleaseAfterForward(std::size_t index) {
  std::vector<const void*> live;
  for (std::size_t i = 0; i <= index; ++i) {
    const auto waits = [&](const Graph::Use& use) { return use.reader > index; };
    const bool last = i + 1 == spec_.layers.size();
    if (last || std::ranges::any_of(graph_.uses(i), waits)) {
      live.push_back(layers_[i]->output().get_data_handle());
    }
  }
  context_.arena().Release(0, live);
}

// All that this layer and those behind it have taken is done with, but for the gradients that
// layers before it wait for.
void Network::ReleaseAfterBackward(std::size_t index) {
  std::vector<const void*> live;
  for (std::size_t i = 0; i < index; ++i) {
    if (!graph_.NeedsGradient(i)) continue;
    for (const auto& [reader, input] : graph_.uses(i)) {
      if (reader >= index) live.push_back(layers_[reader]->input_gradient(input).get_data_handle());
    }
  }
  context_.arena().Release(index, live);
}

// Layers whose output is their input again are looked through.
bool Network::MayOverwrite(std::size_t index) const {
  const bool keeps_signs = KeepsSigns(spec_.layers[index].type);
  for (;;) {
    if (!graph_.ReadsAlone(index)) return false;
    const std::int64_t input = spec_.layers[index].inputs.front();
    if (input == kNetworkInput) return true;
    index = static_cast<std::size_t>(input);
    if (layers_[index]->needs_output()) return false;
    if (layers_[index]->needs_signs() && !keeps_signs) return false;
    if (!layers_[index]->is_alias()) return true;
  }
}

Status Network::CompileLoss() {
  context_.arena().set_owner(layers_.size());
  return Guarded("cannot build the loss", [&] {
    const dnnl::memory& output = layers_.back()->output();
    const auto plain = PlainDesc(output.get_desc().dims());
    logits_ = InLayout(context_, output, plain, to_logits_);
    if (training_) logits_gradient_ = LentMemory(context_, plain);
  });
}

Status Network::CompileBackward() {
  for (std::size_t index = layers_.size(); index-- > 0;) {
    if (!graph_.NeedsGradient(index)) continue;
    context_.arena().set_owner(index);
    TRY(Guarded(
        format("cannot build the backward pass of layer {}", spec_.layers[index].name), [&] {
          layers_[index]->CompileBackward(GradientFor(index), graph_.WantsInputGradient(index));
          ReleaseAfterBackward(index);
        }));
  }
  return Ok();
}

// Of the layer's output: the sum over all that read it, in their order.
dnnl::memory Network::GradientFor(std::size_t index) {
  std::vector<dnnl::memory> parts;
  for (const auto& [reader, input] : graph_.uses(index)) {
    parts.push_back(layers_[reader]->input_gradient(input));
  }
  if (parts.empty()) return logits_gradient_;
  if (parts.size() == 1) return parts.front();
  return Sum(context_, parts, gather_[index]);
}

void Network::LoadWeights() {
  for (const auto& layer : layers_) layer->LoadWeights(context_.stream());
}

LossSum Network::Forward(const DrawKey& key) {
  for (std::size_t i = 0; i < layers_.size(); ++i) ForwardLayer(i, key);
  Run(to_logits_, context_.stream());
  context_.stream().wait();
  return loss_.Measure(Floats(logits_), targets_,
                       training_ ? Floats(logits_gradient_) : std::span<float>());
}

void Network::ForwardLayer(std::size_t index, const DrawKey& key) {
  Run(cast_[index], context_.stream());
  layers_[index]->Forward(context_.stream(), key);
}

void Network::Backward() {
  FX_CHECK(training_);
  for (std::size_t index = layers_.size(); index-- > 0;) {
    if (!graph_.NeedsGradient(index)) continue;
    Run(gather_[index], context_.stream());
    layers_[index]->Backward(context_.stream());
  }
  context_.stream().wait();
}

std::string Network::NonFiniteLayer(const DrawKey& key) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    ForwardLayer(i, key);
    context_.stream().wait();
    if (!IsFinite(context_, layers_[i]->output())) return spec_.layers[i].name;
  }
  return "";
}

std::vector<std::string> Network::Implementations() const {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    for (const std::string& one : layers_[i]->implementations()) {
      all.push_back(format("{}: {}", spec_.layers[i].name, one));
    }
  }
  return all;
}

std::vector<const Step*> Network::Primitives() const {
  std::vector<const Steps*> passes = {&to_logits_};
  for (const Steps& cast : cast_) passes.push_back(&cast);
  for (const Steps& gather : gather_) passes.push_back(&gather);
  for (const auto& layer : layers_) {
    for (const Steps* const steps : layer->steps()) passes.push_back(steps);
  }
  std::vector<const Step*> all;
  for (const Steps* const steps : passes) {
    for (const Step& step : *steps) all.push_back(&step);
  }
  return all;
}

}  // namespace fx::onednn
