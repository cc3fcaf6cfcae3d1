// Committed models: the files collaborators start a round from.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"
#include "core/tensor/model_file.h"
#include "core/tensor/tensor.h"

namespace fx::aggregator {

// A folder of <sha256>.fxm. A file never changes; its name is its digest. Thread-safe.
class ModelStore {
 public:
  // Makes the folder if need be, and removes the temporary files of a process that died.
  static Result<ModelStore> Open(const Path& folder);

  // Where the model is, if it is there. Stays in the folder whatever `id` says.
  Path PathOf(const ModelId& id) const;

  // The model, mapped. kNotFound if it was never committed or has been pruned. A mapping outlives
  // Prune.
  Result<ModelFile> OpenModel(const ModelId& id) const;

  // Stores a model, durably. Adding the same model again is fine.
  Result<ModelId> Add(const Model& model) const;

  // Takes over the finished, fsynced file `temp`, whose SHA-256 is `sha256`, durably.
  Result<ModelId> Adopt(const Path& temp, const std::string& sha256) const;

  // A fresh name in the folder, for a file that Adopt will take over.
  Path TempPath() const;

  // Removes every model that is not in `keep`.
  Status Prune(std::span<const ModelId> keep) const;

 private:
  explicit ModelStore(Path folder) : folder_(std::move(folder)) {}
  Path folder_;
  std::unique_ptr<std::atomic<std::uint64_t>> next_temp_ =
      std::make_unique<std::atomic<std::uint64_t>>(0);
};

}  // namespace fx::aggregator
