// The optimizers' formulas, as PyTorch has them, and what comes before them. Everything goes
// element by element or in blocks of a fixed size, so results do not depend on the threads.
//
//   sgd      g += wd w;  v = momentum v + g;  w -= lr v, or with nesterov lr (g + momentum v)
//            (Sutskever et al., "On the importance of initialization and momentum", 2013, in the
//            form of Bengio, Boulanger-Lewandowski, Pascanu, "Advances in optimizing RNNs", 2013)
//   adam     g += wd w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
//            w -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
//            (Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2015, algorithm 1)
//   adamw    w -= lr wd w;  then adam without wd
//            (Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2019)
//   adagrad  g += wd w;  sum += g^2;  w -= lr g / (sqrt(sum) + epsilon)
//            (Duchi, Hazan, Singer, "Adaptive Subgradient Methods", 2011)
//   rmsprop  g += wd w;  v = decay v + (1 - decay) g^2;  d = g / (sqrt(v) + epsilon)
//            w -= lr d, or with momentum  b = momentum b + d;  w -= lr b
//            (Tieleman, Hinton, lecture 6.5 of "Neural Networks for Machine Learning", 2012)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "plan/network_spec.h"

namespace fx::onednn {

// One parameter. `first` and `second` are what the formula keeps of it, in the order it names them;
// null where it keeps nothing.
struct Update {
  float* w = nullptr;
  const float* g = nullptr;
  float* first = nullptr;
  float* second = nullptr;
  std::ptrdiff_t size = 0;
};

// `rate` is the learning rate of the round, `steps` the t of the formulas, at least 1; not a whole
// number where it comes from an average.
void Apply(const Update& update, const OptimizerSpec& spec, double rate, double steps, int threads);

// FedProx (Li et al., "Federated Optimization in Heterogeneous Networks", 2020, equation 2): the
// gradient of mu / 2 |w - anchor|^2 on top. All of one size.
void AddProximal(std::span<float> gradient, std::span<const float> w, std::span<const float> anchor,
                 double mu, int threads);

// slope w - offset on top. All of one size.
void AddPenalty(std::span<float> gradient, std::span<const float> w, std::span<const float> slope,
                std::span<const float> offset, int threads);

// The gradient's squares on top of `sum`. Both of one size.
void AddSquares(std::span<float> sum, std::span<const float> gradient, int threads);

// Both of one size.
void AddTo(std::span<float> gradient, std::span<const float> correction, int threads);

// Each gradient at most `limit` from 0.
void ClipValues(std::span<float> gradient, double limit, int threads);

// Scales all gradients with min(1, limit / (norm + 1e-6)), the norm being of all together (Pascanu,
// Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013; the 1e-6 is
// PyTorch's).
void ClipNorm(const std::vector<std::span<float>>& gradients, double limit, int threads);

}  // namespace fx::onednn
