// Staged updates: the bytes of results the engine has been told about and has not aggregated yet.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx::aggregator {

// One flat folder of <round>+<collaborator>+<task>+<update>.fxm (model files; names escaped, see
// file_name.h), and .part instead of .fxm while the bytes arrive. Immutable once committed.
// Thread-safe.
//
// A partial file belongs to its update, not to the connection that brings the bytes: it outlives
// both the connection and the process, so that the next one goes on where the bytes end. Its length
// is how many came; that they are the right ones is for the update's digest to say.
class Spool {
 public:
  // Makes the folder if need be. Partial files stay, one a collaborator; what is no file of the
  // spool but looks as if it was to be one is removed.
  static Result<Spool> Open(const Path& folder);

  // Where the bytes of an update are collected; there may be some. The caller is the only one who
  // writes for this collaborator. Another update's partial file of the same collaborator is
  // removed, so that there is one at most.
  Result<Path> ClaimPartial(Round round, const CollaboratorName& who, const TaskName& task,
                            const UpdateId& update) const;

  Path PathOf(Round round, const CollaboratorName& who, const TaskName& task,
              const UpdateId& update) const;

  // The update is here, whole and durable.
  bool Holds(Round round, const CollaboratorName& who, const TaskName& task,
             const UpdateId& update) const {
    return Exists(PathOf(round, who, task, update));
  }

  // Gives `temp`, which is complete and fsynced, its final name, durably. Committing the same
  // update again is fine.
  Status Commit(const Path& temp, Round round, const CollaboratorName& who, const TaskName& task,
                const UpdateId& update) const;

  // Removes the updates of all rounds before `before`, partial ones too.
  Status Sweep(Round before) const;

 private:
  struct Partials {
    std::mutex mutex;
    std::map<std::string, Path> of;  // by escaped collaborator
  };

  explicit Spool(Path folder)
      : folder_(std::move(folder)), partials_(std::make_unique<Partials>()) {}
  Status Remember(const Path& partial);

  Path folder_;
  std::unique_ptr<Partials> partials_;
};

}  // namespace fx::aggregator
