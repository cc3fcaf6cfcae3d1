// A data set as one pass of training sees it: with its samples varied anew.
#pragma once

#include <cstdint>
#include <span>

#include "tasks/data_loader.h"

namespace fx {

// `data` must outlive this.
class Varied final : public DataSet {
 public:
  Varied(const DataSet& data, std::uint64_t draw) : data_(data), draw_(draw) {}

  std::int64_t size() const override { return data_.size(); }
  const Shape& sample_shape() const override { return data_.sample_shape(); }
  const Shape& target_shape() const override { return data_.target_shape(); }
  void Gather(std::span<const std::uint32_t> indices, std::span<float> samples,
              std::span<float> targets) const override {
    data_.GatherVaried(draw_, indices, samples, targets);
  }

 private:
  const DataSet& data_;
  std::uint64_t draw_;
};

}  // namespace fx
