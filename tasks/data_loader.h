// Where a task's samples come from.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/error.h"
#include "core/tensor/tensor.h"
#include "plan/plan.h"

namespace fx {

// One part of a data set in memory. Samples are float32 in row-major order of `sample_shape`, and
// so are targets, of `target_shape`: {} is one number, such as a class.
class DataSet {
 public:
  virtual ~DataSet() = default;
  virtual std::int64_t size() const = 0;
  virtual const Shape& sample_shape() const = 0;
  virtual const Shape& target_shape() const = 0;
  // Copies the samples of `indices`, normalised, to `samples` (indices.size() x sample elements),
  // and their targets to `targets` (indices.size() x target elements). Indices are below size().
  // Thread-safe.
  virtual void Gather(std::span<const std::uint32_t> indices, std::span<float> samples,
                      std::span<float> targets) const = 0;
  // The same for training: varied at random as the plan says (data_loader.settings.augment), which
  // is a function of `draw` and the samples' indices. By default nothing varies.
  virtual void GatherVaried(std::uint64_t draw, std::span<const std::uint32_t> indices,
                            std::span<float> samples, std::span<float> targets) const;
};

inline void DataSet::GatherVaried(std::uint64_t /*draw*/, std::span<const std::uint32_t> indices,
                                  std::span<float> samples, std::span<float> targets) const {
  Gather(indices, samples, targets);
}

// Training and validation data of one collaborator. Immutable once made; thread-safe to read.
class DataLoader {
 public:
  virtual ~DataLoader() = default;
  virtual const DataSet& train() const = 0;
  virtual const DataSet& validation() const = 0;
};

// Makes the loader the plan names. `data_path` is the collaborator's entry in data.yaml: a whole
// number k from 1 means shard k of the plan's data set, anything else a folder of its own. Every
// file is read and checked here; the error names file and offset, before any training starts.
Result<std::unique_ptr<DataLoader>> MakeDataLoader(const DataLoaderSettings& settings,
                                                   const std::string& data_path);

}  // namespace fx
