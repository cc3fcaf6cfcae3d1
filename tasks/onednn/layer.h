// One layer compiled for a batch size: primitives and memories made once, run for every batch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/names.h"
#include "plan/network_spec.h"
#include "tasks/onednn/context.h"

namespace fx::onednn {

// A weight or bias tensor and its gradient, in the layout that the first layer compiled for it
// chose; what is exchanged is the plain row-major form (runner.cc converts).
struct Parameter {
  std::string name;       // "conv1.weight"
  Shape shape;            // as exchanged
  bool trained = true;    // else the optimizer leaves it alone: running statistics
  dnnl::memory value;     // empty until placed
  dnnl::memory gradient;  // same layout

  // Makes both memories, unless another layer has done so.
  void Place(Context& context, const dnnl::memory::desc& desc);
};

// What a layer's random draws depend on, besides its name.
struct DrawKey {
  std::uint64_t seed = 0;
  std::uint64_t round = 0, step = 0;  // step: batches since the task began
  std::uint64_t collaborator = 0;     // HashName
};

struct LayerContext {
  Context& context;
  const LayerSpec& spec;
  std::vector<dnnl::memory> inputs;  // outputs of the layers it reads, or copies of another type
  // What conv2d and dense compute with, and what they put out. The other layers go by the type of
  // their inputs: see Graph::NeedsFloats.
  DataType precision = DataType::f32, output_type = DataType::f32;
  bool training = false;            // else evaluation: no backward, dropout does nothing
  bool relu = false;                // see Graph::CanRectify: apply a ReLU to the output as well
  bool already_rectified = false;   // relu: done by an earlier layer, only the gradient is left
  bool gradient_rectified = false;  // relu: and not even that
  // Nobody else reads the first input, nor will the layer that made it: it may become the output.
  bool may_overwrite = false;
  // flatten: all that read the output take it in the extents and the layout of the input as well.
  bool may_keep_extents = false;
  std::vector<Parameter*> parameters;  // its own, in the order of ParameterLayout

  const dnnl::memory& input() const { return inputs.front(); }
  Parameter* parameter(std::string_view suffix) const;  // "weight"; null if there is none
};

// The forward pass is compiled by the constructor, the backward pass by CompileBackward, which
// comes once the layers after it are compiled. Both throw dnnl::error.
class Layer {
 public:
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  // `output_gradient` lies in any layout and may be overwritten by Backward. Without `want_input`
  // only the parameters' gradients are computed. With it, the layer has an input gradient for each
  // input afterwards, in memories that differ from each other.
  virtual void CompileBackward(const dnnl::memory& output_gradient, bool want_input) = 0;

  // To be called after parameters changed, before Forward.
  void LoadWeights(dnnl::stream& stream) { Run(load_, stream); }
  virtual void Forward(dnnl::stream& stream, const DrawKey&) { Run(forward_, stream); }
  virtual void Backward(dnnl::stream& stream) { Run(backward_, stream); }

  const dnnl::memory& output() const { return output_; }
  virtual const dnnl::memory& input_gradient(std::size_t input) const {
    FX_CHECK(input == 0);
    return input_gradient_;
  }
  // Backward looks at the output again, so that nobody may overwrite it.
  virtual bool needs_output() const { return false; }
  // Backward looks at the output's signs: only relu and dropout may overwrite it.
  virtual bool needs_signs() const { return false; }
  // The output is the first input's memory, as a layer that works in place leaves it.
  bool is_alias() const { return output_.get_data_handle() == at_.input().get_data_handle(); }
  // What oneDNN picked for each primitive: "forward jit:avx512_core".
  const std::vector<std::string>& implementations() const { return implementations_; }
  // What a batch goes through, but for loops of the layer's own.
  std::vector<const Steps*> steps() const { return {&load_, &forward_, &backward_}; }

 protected:
  explicit Layer(LayerContext at) : at_(std::move(at)) {}

  // Of a forward pass: with the fused ReLU, if there is one.
  dnnl::primitive_attr ForwardAttributes() const;
  // Of its own, in row-major layout.
  Parameter* PlainParameter(std::string_view suffix);
  // Whether weights are to lie as their gradients are made, for the forward pass reads copies of
  // another type anyway.
  bool ReadsCopies() const { return at_.training && at_.precision != DataType::f32; }
  // The parameter's value in the layout and type a primitive wants.
  dnnl::memory Weights(Parameter& parameter, const dnnl::memory::desc& wanted);
  // The same values in the type it computes with.
  dnnl::memory InPrecision(const dnnl::memory& from, Steps& steps) const;
  // Where a backward pass that computes in layout `made` shall leave the parameter's gradient; adds
  // the reorder, if one is needed, to `after`.
  dnnl::memory GradientOf(Parameter& parameter, const dnnl::memory::desc& made, Steps& after);
  void Note(const std::string& pass, const char* implementation);

  LayerContext at_;
  dnnl::memory output_, input_gradient_;
  Steps load_, forward_, backward_;
  std::vector<std::pair<const Parameter*, dnnl::memory>> loaded_;  // what load_ fills
  std::vector<std::string> implementations_;
};

std::unique_ptr<Layer> MakeConv2d(const LayerContext& at);
std::unique_ptr<Layer> MakeConvTranspose2d(const LayerContext& at);
std::unique_ptr<Layer> MakeDense(const LayerContext& at);
std::unique_ptr<Layer> MakeEmbedding(const LayerContext& at);
std::unique_ptr<Layer> MakePool(const LayerContext& at);       // max, avg and global_avg
std::unique_ptr<Layer> MakeRecurrent(const LayerContext& at);  // lstm, gru
std::unique_ptr<Layer> MakeRelu(const LayerContext& at);
std::unique_ptr<Layer> MakeDropout(const LayerContext& at);
std::unique_ptr<Layer> MakeAdd(const LayerContext& at);
std::unique_ptr<Layer> MakeConcat(const LayerContext& at);
std::unique_ptr<Layer> MakeReshape(const LayerContext& at);     // flatten as well
std::unique_ptr<Layer> MakeActivation(const LayerContext& at);  // leaky_relu to sigmoid
std::unique_ptr<Layer> MakeSoftmax(const LayerContext& at);
std::unique_ptr<Layer> MakeBatchNorm(const LayerContext& at);
std::unique_ptr<Layer> MakeLayerNorm(const LayerContext& at);
std::unique_ptr<Layer> MakeGroupNorm(const LayerContext& at);
std::unique_ptr<Layer> MakeUpsample(const LayerContext& at);

// By at.spec.type.
std::unique_ptr<Layer> MakeLayer(const LayerContext& at);

}  // namespace fx::onednn
