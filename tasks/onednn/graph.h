// Who reads whom in a network, and what follows from it for how it is compiled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "plan/network_spec.h"

namespace fx::onednn {

// The same function, faster: relu followed by max_pool becomes max_pool followed by relu, which has
// fewer elements to go through. The largest of the rectified is the rectified largest.
NetworkSpec Reordered(NetworkSpec spec);

// `spec` has its shapes inferred and outlives the graph. Layers are meant by their place.
class Graph {
 public:
  explicit Graph(const NetworkSpec& spec);

  struct Use {
    std::size_t reader;
    std::size_t input;  // which of the reader's
  };
  const std::vector<Use>& uses(std::size_t layer) const { return uses_[layer]; }

  // Whether the layer's output depends on a parameter, its own or one before it: Backward goes so
  // far.
  bool NeedsGradient(std::size_t layer) const { return needs_gradient_[layer]; }
  bool WantsInputGradient(std::size_t layer) const;

  // Whether the relu that follows this layer, at once or behind a max_pool, can be left to it.
  bool CanRectify(std::size_t layer) const;
  // The other side of CanRectify.
  bool AlreadyRectified(std::size_t relu) const;
  // And whether that layer takes care of the gradient as well.
  bool GradientRectified(std::size_t relu) const;

  // Whether what the layer puts out goes to dense layers only, at once or behind layers that treat
  // each value by itself: then the order of its values does not matter.
  bool OnlyDenseReads(std::size_t layer) const;

  // Whether it reads and writes float32 whatever the plan's precision, and whether nobody would
  // read its output as anything else.
  bool NeedsFloats(std::size_t layer) const;
  bool OnlyFloatLayersRead(std::size_t layer) const;
  // Whether it takes inputs of one type only.
  bool Joins(std::size_t layer) const;

  // Whether nobody but `layer` reads its first input.
  bool ReadsAlone(std::size_t layer) const;

 private:
  // The only layer that reads it; none: there are several, or it is the last.
  const LayerSpec* OnlyReader(std::size_t layer) const;
  bool Is(std::int64_t layer, LayerType type) const;
  bool FusesRelu(std::int64_t layer) const;
  // The layer before the relu, or before the max_pool before it.
  std::int64_t RectifierOf(std::size_t relu) const;

  const NetworkSpec& spec_;
  std::vector<std::vector<Use>> uses_;
  std::vector<bool> needs_gradient_;
  std::size_t input_uses_ = 0;  // of the sample
};

}  // namespace fx::onednn
