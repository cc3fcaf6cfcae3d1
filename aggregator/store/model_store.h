// Committed models: the files collaborators start a round from.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
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

  // The model, mapped. kNotFound if it was never committed or has been pruned. The caller is done
  // with it before the model is pruned.
  Result<ModelFile> OpenModel(const ModelId& id) const;
  // The same; all who have it open at once share one mapping, and it outlives Prune.
  Result<std::shared_ptr<const ModelFile>> ShareModel(const ModelId& id) const;

  // The XXH3-128 of the model's file, hex: what a receiver checks a transfer with, at a tenth of
  // the cost of the SHA-256 it is named by. Computed once a model.
  Result<std::string> FastDigestOf(const ModelId& id) const;

  // Stores a model, durably. Adding the same model again is fine.
  Result<ModelId> Add(const Model& model) const;

  // Takes over the finished, fsynced file `temp`, whose digests these are, durably.
  Result<ModelId> Adopt(const Path& temp, const std::string& sha256,
                        const std::string& fast_digest) const;

  // A name in the folder, for a file that Adopt will take over. There may be a file already: a
  // model that was pruned lends its place.
  Path TempPath() const;

  // Removes every model that is not in `keep`.
  Status Prune(std::span<const ModelId> keep) const;
  Status RemoveSpare() const;

 private:
  struct Shared {
    std::atomic<std::uint64_t> next_temp = 0;
    std::mutex mutex;
    std::map<ModelId, std::string> fast_digests;  // of the models kept
    std::map<ModelId, std::weak_ptr<const ModelFile>> lent;
    bool spare = false;  // there is one
  };

  explicit ModelStore(Path folder)
      : folder_(std::move(folder)), shared_(std::make_unique<Shared>()) {}
  Result<ModelId> Take(const Path& temp, const std::string& sha256) const;
  Path SparePath() const { return folder_ / "tmp-spare"; }
  Status Discard(const Path& file) const;

  Path folder_;
  std::unique_ptr<Shared> shared_;
};

}  // namespace fx::aggregator
