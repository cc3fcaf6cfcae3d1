#include "tests/numeric/one_layer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "core/base/random.h"
#include "tasks/onednn/layer.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using onednn::Context;
using onednn::Parameter;

constexpr double kStep = 1e-5;

Values Normal(RandomStream& draws, std::int64_t count) {
  Values values(static_cast<std::size_t>(count));
  for (double& v : values) v = draws.NextNormal();
  return values;
}

// Of the layer's own network: it reads nothing but samples, of several shapes.
NetworkSpec NetworkOf(const LayerCase& layer) {
  NetworkSpec network;
  network.input_shape = layer.inputs.front();
  for (std::size_t i = 1; i < layer.inputs.size(); ++i) {
    network.layers.push_back({.type = LayerType::kReshape,
                              .name = "input" + std::to_string(i),
                              .shape = layer.inputs[i],
                              .input = layer.inputs[i],
                              .output = layer.inputs[i]});
  }
  network.layers.push_back(layer.spec);
  return network;
}

// Runs the native layer once, forward and backward.
class Native {
 public:
  Native(const LayerCase& layer, const LayerSpec& spec, const Layout& layout,
         const LayerInput& values)
      : layer_(layer), spec_(spec) {
    for (const TensorSpec& tensor : layout) {
      parameters_.push_back({.name = tensor.name,
                             .shape = tensor.shape,
                             .trained = IsTrained(tensor.name),
                             .value = {},
                             .gradient = {}});
    }
    onednn::LayerContext at = {.context = context_,
                               .spec = spec_,
                               .inputs = {},
                               .training = layer.training,
                               .parameters = {}};
    for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
      at.inputs.push_back(Plain(layer.inputs[i], values.inputs[i]));
      if (layer.channels_last) at.inputs.back() = AsChannelsLast(at.inputs.back());
    }
    for (Parameter& parameter : parameters_) at.parameters.push_back(&parameter);
    native_ = MakeLayer(at);
    if (layer.training) {
      output_gradient_ = Plain(spec.output, {});
      native_->CompileBackward(output_gradient_, layer.differentiable_inputs);
    }
    for (Parameter& parameter : parameters_) {
      const std::string suffix = parameter.name.substr(spec.name.size() + 1);
      const Values& from = values.parameters.at(suffix);
      Fill(parameter.value, from);
    }
  }

  Values Forward() {
    native_->LoadWeights(context_.stream());
    native_->Forward(context_.stream(), {.seed = 1});
    context_.stream().wait();
    return Read(native_->output());
  }
  void Backward(const Values& gradient) {
    std::ranges::transform(gradient, onednn::Floats(output_gradient_).begin(),
                           [](double v) { return static_cast<float>(v); });
    native_->Backward(context_.stream());
    context_.stream().wait();
  }
  Values InputGradient(std::size_t input) { return Read(native_->input_gradient(input)); }
  Values ParameterGradient(std::size_t index) { return Read(parameters_[index].gradient); }
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  dnnl::memory Plain(const Shape& shape, const Values& values) {
    dnnl::memory memory =
        ZeroMemory(context_, onednn::PlainDesc(onednn::BatchDims(layer_.batch, shape)));
    std::ranges::transform(values, onednn::Floats(memory).begin(),
                           [](double v) { return static_cast<float>(v); });
    return memory;
  }
  dnnl::memory AsChannelsLast(const dnnl::memory& plain) {
    const dnnl::memory to = ZeroMemory(context_, onednn::ChannelsLast(plain.get_desc().dims()));
    Copy(context_, plain, to);
    return to;
  }
  void Fill(const dnnl::memory& to, const Values& values) {
    const dnnl::memory plain = ZeroMemory(context_, onednn::PlainDesc(to.get_desc().dims()));
    std::ranges::transform(values, onednn::Floats(plain).begin(),
                           [](double v) { return static_cast<float>(v); });
    Copy(context_, plain, to);
  }
  Values Read(const dnnl::memory& from) {
    const dnnl::memory plain = ZeroMemory(context_, onednn::PlainDesc(from.get_desc().dims()));
    Copy(context_, from, plain);
    const auto floats = onednn::Floats(plain);
    return {floats.begin(), floats.end()};
  }

  const LayerCase& layer_;
  const LayerSpec& spec_;
  Context context_;
  std::vector<Parameter> parameters_;
  std::unique_ptr<onednn::Layer> native_;
  dnnl::memory output_gradient_;
};

void ExpectClose(const Values& actual, const Values& expected, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double largest = 1e-3;
  for (const double e : expected) largest = std::max(largest, std::abs(e));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], tolerance * largest) << what << "[" << i << "]";
  }
}

double Dot(const Values& a, const Values& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Of sum(weights * definition(at)) by `values`, which is a part of `at`.
Values Differences(const Definition& definition, LayerInput& at, Values& values,
                   const Values& weights) {
  Values gradient;
  for (double& value : values) {
    const double was = value;
    value = was + kStep;
    const double above = Dot(definition(at), weights);
    value = was - kStep;
    const double below = Dot(definition(at), weights);
    value = was;
    gradient.push_back((above - below) / (2 * kStep));
  }
  return gradient;
}

LayerInput Draw(const LayerCase& layer, const Layout& layout) {
  RandomStream draws(1, "one layer");
  LayerInput at;
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    Values values = Normal(draws, layer.batch * NumElements(layer.inputs[i]));
    for (std::size_t k = 0; layer.value && k < values.size(); ++k) values[k] = layer.value(i, k);
    at.inputs.push_back(std::move(values));
  }
  for (const TensorSpec& tensor : layout) {
    Values values = Normal(draws, NumElements(tensor.shape));
    if (tensor.name.ends_with("running_var")) {
      for (double& v : values) v = 0.5 + v * v;
    }
    at.parameters[tensor.name.substr(layer.spec.name.size() + 1)] = std::move(values);
  }
  // What the native layer is given is float32: so is what the definition is given.
  const auto round = [](Values& values) {
    for (double& v : values) v = static_cast<float>(v);
  };
  for (Values& values : at.inputs) round(values);
  for (auto& [name, values] : at.parameters) round(values);
  return at;
}

}  // namespace

void CheckLayer(const LayerCase& layer, const Definition& definition, double tolerance) {
  LayerCase c = layer;
  if (c.spec.name.empty()) c.spec.name = "layer";
  NetworkSpec network = NetworkOf(c);
  LayerSpec& spec = network.layers.back();
  spec.inputs = {kNetworkInput};
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    spec.inputs.push_back(static_cast<std::int64_t>(i) - 1);
  }
  const Status fits = InferLayerShapes(network, network.layers.size() - 1);
  ASSERT_TRUE(fits) << fits.error().message();
  const Layout layout = ParameterLayout(network);
  LayerInput at = Draw(c, layout);

  Native native(c, spec, layout, at);
  const Values output = native.Forward();
  ExpectClose(output, definition(at), tolerance, "output");
  if (!c.training) return;

  RandomStream draws(2, "gradient");
  Values weights = Normal(draws, std::ssize(output));
  for (double& w : weights) w = static_cast<float>(w);
  native.Backward(weights);
  for (std::size_t i = 0; c.differentiable_inputs && i < at.inputs.size(); ++i) {
    ExpectClose(native.InputGradient(i), Differences(definition, at, at.inputs[i], weights),
                tolerance, "gradient of input " + std::to_string(i));
  }
  for (std::size_t i = 0; i < layout.size(); ++i) {
    if (!IsTrained(layout[i].name)) continue;
    Values& values = at.parameters.at(layout[i].name.substr(spec.name.size() + 1));
    ExpectClose(native.ParameterGradient(i), Differences(definition, at, values, weights),
                tolerance, "gradient of " + layout[i].name);
  }
}

}  // namespace fx::test
