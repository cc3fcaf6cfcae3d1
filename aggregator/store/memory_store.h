// What an aggregation function keeps from round to round, such as a server optimizer's momentum.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx::aggregator {

// A folder of <round>-<model>-<index>.fxm: model files, laid out like the model, of what was kept
// when that model was made, which the round starts from. A round that is folded again after a crash
// finds what the round before left, since its own files have the next round's number; and it writes
// the same files again. So nothing is lost, and no step is done twice.
class MemoryStore {
 public:
  explicit MemoryStore(Path folder) : folder_(std::move(folder)) {}

  // The files to start `round` with, `count` of them. A round without training keeps model and
  // memories, so they may be of a round before. kNotFound if there are none of this model.
  Result<std::vector<Path>> Find(Round round, const ModelId& base, std::size_t count) const;

  // Names for files that Adopt will take over; makes the folder.
  Result<std::vector<Path>> TempPaths(std::size_t count) const;

  // Takes over those files, finished and fsynced, durably: they belong to `model`, which `round`
  // starts from.
  Status Adopt(const std::vector<Path>& temps, Round round, const ModelId& model) const;

  // Removes what no round from `round` on can start with.
  Status Prune(Round round) const;

 private:
  Path PathOf(Round round, const ModelId& model, std::size_t index) const;

  Path folder_;
};

}  // namespace fx::aggregator
