// Staged updates: the bytes of results the engine has been told about and has not aggregated yet.
#pragma once

#include <utility>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx::aggregator {

// One flat folder of <round>+<collaborator>+<task>+<update>.fxm (model files; names escaped, see
// file_name.h) and tmp-<request> while bytes arrive. Immutable once committed. Thread-safe.
class Spool {
 public:
  // Makes the folder if need be, and removes the temporary files of a process that died.
  static Result<Spool> Open(const Path& folder);

  // Where the bytes of a request are collected.
  Path TempPath(RequestId request) const;

  Path PathOf(Round round, const CollaboratorName& who, const TaskName& task,
              const UpdateId& update) const;

  // Gives `temp`, which is complete and fsynced, its final name, durably. Committing the same
  // update again is fine.
  Status Commit(const Path& temp, Round round, const CollaboratorName& who, const TaskName& task,
                const UpdateId& update) const;

  // Removes the updates of all rounds before `before`.
  Status Sweep(Round before) const;

 private:
  explicit Spool(Path folder) : folder_(std::move(folder)) {}
  Path folder_;
};

}  // namespace fx::aggregator
