// What a site keeps on disk of one federation, so that a restart loses nothing: downloaded models,
// and finished tasks with what they produced.
//
//   <folder>/lock
//   <folder>/closed                                   the last round that was closed
//   <folder>/models/<sha256>.fxm                      downloaded models (.fxm.part: half of one)
//   <folder>/models/spare, results/spare              a file no longer needed, whose place the next
//                                                     one takes (core/base/partial_file.h)
//   <folder>/results/<round>-<task>.result            a finished task: text, a field a line
//   <folder>/results/<round>-<task>.update.fxm        the parameters it trained
//   <folder>/results/<round>-<task>.optimizer.fxm     the optimizer's state afterwards
//   <folder>/results/<round>-<task>.sent              empty: the aggregator has acknowledged it
//
// A task counts as finished once its .result is there, and that is written last; whatever does not
// fit together when the folder is opened is passed over, and the task is run again.
//
// All of it survives the end of the process at any moment. What can be had again with the same
// bytes, a model from the aggregator and a result that depends on nothing else, is not forced to
// the disk: a power cut may cost it. An optimizer's state cannot be had again, and is.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collaborator/finished_task.h"
#include "collaborator/session.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/tensor/tensor.h"
#include "plan/plan.h"

namespace fx::collaborator {

// local_state/collaborator/<name>/<federation_uuid>
Path StatePath(const Path& workspace, const CollaboratorName& name, const Plan& plan);
// The collaborators that have such a folder, by name.
Result<std::vector<CollaboratorName>> SitesOf(const Path& workspace, const Plan& plan);

// A record's text, and back; every value survives exactly. Parse refuses anything else.
std::string EncodeFinishedTask(const FinishedTask& task);
Result<FinishedTask> ParseFinishedTask(const std::string& text);

// What a site has, for someone who only looks.
struct SiteStatus {
  bool running = false;  // a collaborator is at work on it
  Remembered remembered;
  std::vector<bool> sent;  // of each finished task
};

// Not thread-safe; one process at a time, which the lock sees to.
class LocalStore {
 public:
  // Creates the folder if needed. Refuses, with kFailedPrecondition, a folder that another process
  // has open.
  static Result<LocalStore> Open(const Path& folder);

  // Changes nothing, and disturbs no process that has the folder open.
  static Result<SiteStatus> Look(const Path& folder);

  // What was there when it was opened.
  const Remembered& remembered() const { return remembered_; }

  Path ModelPath(const ModelId& model) const;
  Path UpdatePath(const FinishedTask& task) const;
  Path OptimizerPath(const FinishedTask& task) const;

  // Keeps a finished task, with its tensors: the trained parameters and the optimizer's
  // state, null if there are none. Returns it with the digests and sizes filled in.
  Result<FinishedTask> Add(FinishedTask task, const Model* trained, const Model* optimizer);

  // Notes that the aggregator has the result. For people: losing the note only sends it again.
  Status MarkSent(const FinishedTask& task);

  // Closing a round again after a power cut does no harm.
  Status MarkClosed(Round round);

  // Makes ready for the download of a model of `size` bytes to its path. If some of it is here
  // already, that stays.
  Status ExpectModel(const ModelId& model, std::uint64_t size);

  // Removes every model and result that is not listed, and what earlier processes left half done.
  // A partly downloaded model that is listed stays; of models and updates that go, one stays as a
  // spare. Nobody may have them open.
  Status Keep(std::span<const ModelId> models, std::span<const FinishedTask> results);
  Status RemoveSpares();

 private:
  LocalStore(Path folder, std::optional<FileLock> lock)
      : folder_(std::move(folder)), lock_(std::move(lock)) {}
  Path ResultStem(const FinishedTask& task) const;
  Path SentPath(const FinishedTask& task) const;
  bool IsWhole(const FinishedTask& task) const;
  Status Remember();

  Path folder_;
  std::optional<FileLock> lock_;  // none in Look
  Remembered remembered_;
};

}  // namespace fx::collaborator
