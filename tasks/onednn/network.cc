#include "tasks/onednn/network.h"

#include <algorithm>
#include <cmath>
#include <ranges>
#include <utility>

#include "core/base/format.h"
#include "core/tensor/model_file.h"

namespace fx::onednn {
namespace {

bool HasParameters(const LayerSpec& layer) {
  return layer.type == LayerType::kConv2d || layer.type == LayerType::kDense;
}

bool IsRelu(const NetworkSpec& spec, std::size_t index) {
  return index < spec.layers.size() && spec.layers[index].type == LayerType::kRelu;
}

// Whether the relu that follows this layer, at once or behind a max_pool, can be left to it.
bool CanRectify(const NetworkSpec& spec, std::size_t index) {
  if (!HasParameters(spec.layers[index])) return false;
  const bool pool =
      index + 1 < spec.layers.size() && spec.layers[index + 1].type == LayerType::kMaxPool;
  return IsRelu(spec, index + (pool ? 2 : 1));
}

// The other side of CanRectify.
bool AlreadyRectified(const NetworkSpec& spec, std::size_t relu) {
  if (relu >= 1 && HasParameters(spec.layers[relu - 1])) return true;
  return relu >= 2 && spec.layers[relu - 1].type == LayerType::kMaxPool &&
         HasParameters(spec.layers[relu - 2]);
}

Parameter* Find(std::vector<Parameter>& parameters, const std::string& name) {
  const auto found = std::ranges::find(parameters, name, &Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

}  // namespace

std::vector<Parameter> MakeParameters(const NetworkSpec& spec) {
  std::vector<Parameter> parameters;
  for (const TensorSpec& tensor : ParameterLayout(spec)) {
    parameters.push_back({.name = tensor.name, .shape = tensor.shape, .value = {}, .gradient = {}});
  }
  return parameters;
}

NetworkSpec Reordered(NetworkSpec spec) {
  for (std::size_t i = 0; i + 1 < spec.layers.size(); ++i) {
    LayerSpec& relu = spec.layers[i];
    LayerSpec& pool = spec.layers[i + 1];
    if (relu.type != LayerType::kRelu || pool.type != LayerType::kMaxPool) continue;
    std::swap(relu, pool);
    spec.layers[i + 1].input = spec.layers[i + 1].output = spec.layers[i].output;
  }
  return spec;
}

Network::Network(const NetworkSpec& spec, Context& context, std::int64_t batch, bool training)
    : spec_(spec),
      context_(context),
      training_(training),
      input_(ZeroMemory(context, PlainDesc(BatchDims(batch, spec.input_shape)))),
      labels_(static_cast<std::size_t>(batch)) {}

Result<std::unique_ptr<Network>> Network::Compile(const NetworkSpec& spec, Context& context,
                                                  std::vector<Parameter>& parameters,
                                                  std::int64_t batch, bool training) {
  auto made = Guarded(format("cannot prepare batches of {} samples", batch), [&] {
    return std::unique_ptr<Network>(new Network(spec, context, batch, training));
  });
  std::unique_ptr<Network> network = TRY(std::move(made));
  for (std::size_t i = 0; i < spec.layers.size(); ++i) TRY(network->AddLayer(i, parameters));
  TRY(network->CompileBackward());
  return network;
}

Status Network::AddLayer(std::size_t index, std::vector<Parameter>& parameters) {
  const LayerSpec& layer = spec_.layers[index];
  const LayerContext at = {
      .context = context_,
      .spec = layer,
      .input = layers_.empty() ? input_ : layers_.back()->output(),
      .training = training_,
      .relu = CanRectify(spec_, index),
      .already_rectified = layer.type == LayerType::kRelu && AlreadyRectified(spec_, index),
      .weight = Find(parameters, layer.name + ".weight"),
      .bias = Find(parameters, layer.name + ".bias")};
  return Guarded(format("cannot build layer {}", layer.name),
                 [&] { layers_.push_back(MakeLayer(at)); });
}

Status Network::CompileBackward() {
  TRY(Guarded("cannot build the loss", [&] {
    const dnnl::memory& output = layers_.back()->output();
    const auto plain = PlainDesc(output.get_desc().dims());
    logits_ = InLayout(context_, output, plain, to_logits_);
    if (training_) logits_gradient_ = ZeroMemory(context_, plain);
  }));
  if (!training_) return Ok();

  const auto first = std::ranges::find_if(spec_.layers, HasParameters) - spec_.layers.begin();
  dnnl::memory gradient = logits_gradient_;
  for (auto i = std::ssize(layers_) - 1; i >= first; --i) {
    const auto index = static_cast<std::size_t>(i);
    TRY(Guarded(format("cannot build the backward pass of layer {}", spec_.layers[index].name),
                [&] { layers_[index]->CompileBackward(gradient, i > first); }));
    gradient = layers_[index]->input_gradient();
  }
  return Ok();
}

void Network::LoadWeights() {
  for (const auto& layer : layers_) layer->LoadWeights(context_.stream());
}

Score Network::Forward(const DrawKey& key) {
  for (const auto& layer : layers_) layer->Forward(context_.stream(), key);
  Run(to_logits_, context_.stream());
  context_.stream().wait();
  return SoftmaxCrossEntropy(Floats(logits_), labels_,
                             training_ ? Floats(logits_gradient_) : std::span<float>());
}

void Network::Backward() {
  FX_CHECK(training_);
  for (const auto& layer : std::views::reverse(layers_)) layer->Backward(context_.stream());
  context_.stream().wait();
}

std::string Network::NonFiniteLayer() const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (FindNonFinite(Floats(layers_[i]->output())) >= 0) return spec_.layers[i].name;
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

}  // namespace fx::onednn
