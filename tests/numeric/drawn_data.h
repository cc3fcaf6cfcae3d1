// Data in memory for any network.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/random.h"
#include "plan/network_spec.h"
#include "tasks/data_loader.h"

namespace fx::test {

// Samples and targets drawn at random: standard normal samples or numbers of an embedding; classes,
// masks of zeros and ones, or normal numbers, whatever the network takes.
class DrawnData final : public DataSet, public DataLoader {
 public:
  DrawnData(const NetworkSpec& network, std::int64_t size, RandomStream draws)
      : size_(size), sample_shape_(network.input_shape), target_shape_(TargetShape(network)) {
    const LayerSpec& first = network.layers.front();
    for (std::int64_t i = 0; i < size * NumElements(sample_shape_); ++i) {
      samples_.push_back(first.type == LayerType::kEmbedding ? Whole(draws, first.entries)
                                                             : Normal(draws));
    }
    for (std::int64_t i = 0; i < size * NumElements(target_shape_); ++i) {
      targets_.push_back(DrawTarget(network, draws));
    }
  }

  const DataSet& train() const override { return *this; }
  const DataSet& validation() const override { return *this; }
  std::int64_t size() const override { return size_; }
  const Shape& sample_shape() const override { return sample_shape_; }
  const Shape& target_shape() const override { return target_shape_; }
  void Gather(std::span<const std::uint32_t> indices, std::span<float> samples,
              std::span<float> targets) const override {
    CopyRows(samples_, NumElements(sample_shape_), indices, samples);
    CopyRows(targets_, NumElements(target_shape_), indices, targets);
  }
  const std::vector<float>& samples() const { return samples_; }
  const std::vector<float>& targets() const { return targets_; }

 private:
  static float Whole(RandomStream& draws, std::int64_t bound) {
    return static_cast<float>(draws.Below(static_cast<std::uint64_t>(bound)));
  }
  static float Normal(RandomStream& draws) { return static_cast<float>(draws.NextNormal()); }
  static float DrawTarget(const NetworkSpec& network, RandomStream& draws) {
    switch (network.loss.type) {
      case LossType::kSoftmaxCrossEntropy:
        return Whole(draws, network.num_classes());
      case LossType::kMse:
        return Normal(draws);
      default:
        return Whole(draws, 2);
    }
  }
  static void CopyRows(const std::vector<float>& from, std::int64_t row,
                       std::span<const std::uint32_t> indices, std::span<float> to) {
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const auto begin = from.begin() + static_cast<std::ptrdiff_t>(indices[i]) * row;
      std::copy(begin, begin + row, to.begin() + static_cast<std::ptrdiff_t>(i) * row);
    }
  }

  std::int64_t size_;
  Shape sample_shape_, target_shape_;
  std::vector<float> samples_, targets_;
};

}  // namespace fx::test
