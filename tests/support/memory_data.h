// Data made up in memory, for tests of what trains on it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "tasks/data_loader.h"

namespace fx::test {

class MemorySet final : public DataSet {
 public:
  // Row-major samples, one after the other, and a label each.
  MemorySet(Shape shape, std::vector<float> samples, std::vector<std::int32_t> labels)
      : shape_(std::move(shape)), samples_(std::move(samples)), labels_(std::move(labels)) {}

  std::int64_t size() const override { return std::ssize(labels_); }
  const Shape& sample_shape() const override { return shape_; }
  const Shape& target_shape() const override { return target_shape_; }
  std::span<const float> sample(std::size_t index) const {
    const auto size = static_cast<std::size_t>(NumElements(shape_));
    return std::span(samples_).subspan(index * size, size);
  }
  std::int32_t label(std::size_t index) const { return labels_[index]; }

  void Gather(std::span<const std::uint32_t> indices, std::span<float> samples,
              std::span<float> targets) const override {
    auto out = samples.begin();
    for (std::size_t i = 0; i < indices.size(); ++i) {
      out = std::ranges::copy(sample(indices[i]), out).out;
      targets[i] = static_cast<float>(labels_[indices[i]]);
    }
  }

  // Samples begin .. end - 1.
  MemorySet Part(std::size_t begin, std::size_t end) const {
    const auto size = static_cast<std::size_t>(NumElements(shape_));
    const auto all = std::span(samples_).subspan(begin * size, (end - begin) * size);
    return {shape_, std::vector<float>(all.begin(), all.end()),
            std::vector<std::int32_t>(labels_.begin() + static_cast<std::ptrdiff_t>(begin),
                                      labels_.begin() + static_cast<std::ptrdiff_t>(end))};
  }

 private:
  Shape shape_, target_shape_;
  std::vector<float> samples_;
  std::vector<std::int32_t> labels_;
};

// Standard normal samples whose label is drawn too, and shifts the mean: something can be learnt.
inline MemorySet RandomSet(const Shape& shape, std::int64_t size, std::int64_t classes,
                           std::uint64_t seed) {
  RandomStream draws(seed, "test data");
  std::vector<float> samples;
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < size; ++i) {
    const std::uint64_t label = draws.Below(static_cast<std::uint64_t>(classes));
    labels.push_back(static_cast<std::int32_t>(label));
    for (std::int64_t j = 0; j < NumElements(shape); ++j) {
      const double shift = j % classes == static_cast<std::int64_t>(label) ? 1 : 0;
      samples.push_back(static_cast<float>(draws.NextNormal() + shift));
    }
  }
  return {shape, std::move(samples), std::move(labels)};
}

class MemoryLoader final : public DataLoader {
 public:
  MemoryLoader(MemorySet train, MemorySet validation)
      : train_(std::move(train)), validation_(std::move(validation)) {}
  // The same data for both.
  explicit MemoryLoader(const MemorySet& both) : train_(both), validation_(both) {}
  const MemorySet& train() const override { return train_; }
  const MemorySet& validation() const override { return validation_; }

 private:
  MemorySet train_, validation_;
};

}  // namespace fx::test
