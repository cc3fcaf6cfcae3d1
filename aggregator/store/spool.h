// Staged updates: the bytes of results the engine has been told about and has not aggregated yet.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx::aggregator {

// One flat folder of <round>+<collaborator>+<task>+<update>.fxm (model files; names escaped, see
// file_name.h), and .part instead of .fxm while the bytes arrive. Immutable once committed.
// Thread-safe.
//
// A partial file (core/base/partial_file.h) belongs to its update, not to the connection that
// brings the bytes: it outlives both the connection and the process, so that the next one goes on
// where the bytes end. That they are the right ones is for the update's digest to say.
//
// What is swept lends its place to the updates of the next round, as spare-<number>.
class Spool {
 public:
  // When an update is durable: once it is committed, or with all others by SyncAll.
  enum class Sync { kEach, kTogether };

  // Makes the folder if need be. Partial files stay, one a collaborator; what is no file of the
  // spool but looks as if it was to be one is removed. With kTogether so is what a power cut has
  // left of updates that were not yet durable: those whose bytes are not those of their name.
  static Result<Spool> Open(const Path& folder, Sync sync = Sync::kEach);

  // Whether a file must be fsynced before Commit.
  bool syncs_each() const { return sync_ == Sync::kEach; }

  // Makes every committed update durable.
  Status SyncAll() const;

  // Where the `size` bytes of an update are collected; there may be some. The caller is the only
  // one who writes for this collaborator. Another update's partial file of the same collaborator is
  // removed, so that there is one at most.
  Result<Path> ClaimPartial(Round round, const CollaboratorName& who, const TaskName& task,
                            const UpdateId& update, std::uint64_t size) const;

  Path PathOf(Round round, const CollaboratorName& who, const TaskName& task,
              const UpdateId& update) const;

  // The update is here, whole and as durable as it has to be.
  bool Holds(Round round, const CollaboratorName& who, const TaskName& task,
             const UpdateId& update) const {
    return Exists(PathOf(round, who, task, update));
  }

  // Gives `temp`, which is complete, known to have the update's digest, and fsynced if syncs_each,
  // its final name. Committing the same update again is fine.
  Status Commit(const Path& temp, Round round, const CollaboratorName& who, const TaskName& task,
                const UpdateId& update) const;

  // This process has committed the file, so its digest has been looked at. Whatever an earlier one
  // left is to be looked at again: it comes from the disk, not from memory.
  bool Vouches(const Path& file) const;

  // Removes the updates of all rounds before `before`, partial ones too; those that were whole stay
  // as spares. Spares that were there already are removed: the last round did without them. Nobody
  // may have an update of those rounds open.
  Status Sweep(Round before) const;
  Status RemoveSpares() const;

 private:
  struct Known {
    std::mutex mutex;
    std::map<std::string, Path> partials;  // by escaped collaborator
    std::set<Path> committed;              // by this process
    std::vector<Path> spares;
    std::uint64_t next_spare = 0;
  };

  Spool(Path folder, Sync sync)
      : folder_(std::move(folder)), sync_(sync), known_(std::make_unique<Known>()) {}
  Status Remember(const Path& partial);
  // Both with the mutex held.
  Status MakeSpare(const Path& file) const;
  Status UseSpare(const Path& partial, std::uint64_t size) const;

  Path folder_;
  Sync sync_;
  std::unique_ptr<Known> known_;
};

}  // namespace fx::aggregator
