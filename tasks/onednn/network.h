// A whole network compiled for one batch size, for training or for evaluation. Several of them
// share the same parameters and, since they take turns, the same memory for what is in between.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "plan/network_spec.h"
#include "tasks/onednn/graph.h"
#include "tasks/onednn/layer.h"
#include "tasks/onednn/loss.h"

namespace fx::onednn {

// Not placed yet: name and shape only, in the order of ParameterLayout.
std::vector<Parameter> MakeParameters(const NetworkSpec& spec);

class Network {
 public:
  // `spec` has its shapes inferred; it, `context` and `parameters` (of spec, in exchange order)
  // must outlive the network. Parameters that no network was compiled for yet are placed in the
  // layouts this one likes best. An error names the layer that could not be built.
  static Result<std::unique_ptr<Network>> Compile(const NetworkSpec& spec, Context& context,
                                                  std::vector<Parameter>& parameters,
                                                  std::int64_t batch, bool training);

  // To be filled before each Forward: [batch, sample] and [batch, target], row-major. Once another
  // network of the same context has run, all of this one's values are anything.
  std::span<float> samples() { return Floats(input_); }
  std::span<float> targets() { return targets_; }
  std::span<const float> targets() const { return targets_; }

  // To be called after parameters changed. The rest throw dnnl::error.
  void LoadWeights();
  LossSum Forward(const DrawKey& key);
  // What the last Forward gave, [batch, output], row-major; until Backward.
  std::span<const float> outputs() const { return Floats(logits_); }
  // Leaves the gradients of the mean loss of the last Forward in the parameters. Training only.
  void Backward();

  // Goes forward once more, over the same batch, which is to be filled in again, for a first layer
  // may work in place: the first layer whose output holds a value that is not finite; "" if all are
  // finite.
  std::string NonFiniteLayer(const DrawKey& key);
  // "conv1: forward jit:avx512_core", for tests.
  std::vector<std::string> Implementations() const;
  // Every primitive of a batch, for tests that count them and benches that time them.
  std::vector<const Step*> Primitives() const;

 private:
  Network(const NetworkSpec& spec, Context& context, std::int64_t batch, bool training);
  Status AddLayer(std::size_t index, std::vector<Parameter>& parameters);
  const dnnl::memory& OutputOf(std::int64_t layer) const;
  dnnl::memory InputOf(std::size_t index, std::int64_t input);
  // Of what the layer reads.
  bool SameTypes(const LayerSpec& layer) const;
  void ForwardLayer(std::size_t index, const DrawKey& key);
  bool MayOverwrite(std::size_t index) const;
  // Gives the arena back what nobody needs once this layer has done its part.
  void ReleaseAfterForward(std::size_t index);
  void ReleaseAfterBackward(std::size_t index);
  Status CompileLoss();
  Status CompileBackward();
  dnnl::memory GradientFor(std::size_t index);

  const NetworkSpec& spec_;
  Context& context_;
  const bool training_;
  const DataType precision_;
  dnnl::memory input_;
  std::vector<float> targets_;
  const Loss loss_;
  const Graph graph_;
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<Steps> cast_;    // a layer: what gives it inputs of the type it reads
  std::vector<Steps> gather_;  // a layer: what adds up the gradients of those that read it
  Steps to_logits_;
  dnnl::memory logits_, logits_gradient_;  // plain
};

}  // namespace fx::onednn
