// The losses of a batch, and their gradients. z are the network's outputs, t the targets; every sum
// goes in a fixed order.
//
//   softmax_cross_entropy  at each place, of the class t: w_t (log(sum_j exp(z_j)) - z_t), divided
//                          by the sum of w_t over all places (PyTorch's CrossEntropyLoss)
//   binary_cross_entropy   of each element, the mean of
//                          -w t log(sigmoid(z)) - (1 - t) log(1 - sigmoid(z))
//                          (PyTorch's BCEWithLogitsLoss, w being its pos_weight)
//   mse                    the mean of (z - t)^2
//   dice                   with p = sigmoid(z) and sums over the places of one class of a sample,
//                          the mean of 1 - (2 sum(p t) + 1) / (sum(p) + sum(t) + 1)
//                          (Milletari, Navab, Ahmadi, "V-Net", 2016, without its squares; the ones
//                          make it 0 where there is nothing to find and nothing is found)
#pragma once

#include <span>
#include <vector>

#include "plan/network_spec.h"
#include "tasks/output_axes.h"

namespace fx::onednn {

// What the loss of some samples is a mean of, so that batches add up: adding is exact but for
// rounding, whatever their sizes.
struct LossSum {
  double sum = 0;
  double weight = 0;  // what to divide by: elements, places by their class weights, or regions

  double mean() const { return weight > 0 ? sum / weight : sum; }
  void Add(const LossSum& other) {
    sum += other.sum;
    weight += other.weight;
  }
};

class Loss {
 public:
  // Of a network whose shapes are inferred.
  explicit Loss(const NetworkSpec& network);

  // `outputs` are [batch, output] and `targets` [batch, target] (TargetShape), row-major. Classes
  // are whole numbers below the network's. An output that is NaN makes the loss NaN.
  //
  // `gradient`, unless empty, receives that of the batch's mean, as `outputs` are.
  LossSum Measure(std::span<const float> outputs, std::span<const float> targets,
                  std::span<float> gradient) const;

 private:
  LossSum SoftmaxCrossEntropy(std::span<const float> outputs, std::span<const float> targets,
                              std::span<float> gradient) const;
  double WeightOf(std::span<const float> labels) const;
  // Of one sample: the sum over its places. A place's classes side by side, or in planes, which are
  // gone through a tile of places at a time. `gradient` may be null.
  double OfRows(const float* z, std::span<const float> labels, double share, float* gradient) const;
  double OfPlanes(const float* z, std::span<const float> labels, double share,
                  float* gradient) const;
  struct Tile;
  void Exponentiate(const float* z, std::size_t size, Tile& tile, float* gradient) const;
  double OfTile(const float* z, std::span<const float> labels, double share, Tile& tile,
                float* gradient) const;
  LossSum BinaryCrossEntropy(std::span<const float> outputs, std::span<const float> targets,
                             std::span<float> gradient) const;
  LossSum Dice(std::span<const float> outputs, std::span<const float> targets,
               std::span<float> gradient) const;

  const LossType type_;
  const OutputAxes axes_;
  const std::vector<float> class_weights_;  // one for each class
};

}  // namespace fx::onednn
