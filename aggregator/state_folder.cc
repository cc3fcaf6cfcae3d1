#include "aggregator/state_folder.h"

#include <utility>

namespace fx::aggregator {
namespace {

Result<FileLock> Lock(const Path& folder) {
  auto lock = FileLock::Acquire(folder / "lock");
  if (lock || lock.error().code() != ErrorCode::kFailedPrecondition) return lock;
  return Fail(Error(ErrorCode::kFailedPrecondition,
                    "another aggregator is running this federation (it holds " +
                        (folder / "lock").string() + ")")
                  .Hint("wait for it to end, or stop it first"));
}

}  // namespace

Path StatePath(const Path& workspace, const Plan& plan) {
  return workspace / "local_state" / "aggregator" / plan.federation_uuid;
}

Result<StateFolder> StateFolder::Open(const Path& folder, const Plan& plan) {
  TRY(MakeFolders(folder, 0700));
  FileLock lock = TRY(Lock(folder));
  Journal journal = TRY(Journal::Open(folder / "journal.db", plan.federation_uuid, plan.digest));
  const bool each = plan.aggregator.durability == Durability::kResult;
  Spool spool =
      TRY(Spool::Open(folder / "spool", each ? Spool::Sync::kEach : Spool::Sync::kTogether));
  ModelStore models = TRY(ModelStore::Open(folder / "models"));
  return StateFolder{.lock = std::move(lock),
                     .journal = std::move(journal),
                     .spool = std::move(spool),
                     .models = std::move(models),
                     .memories = MemoryStore(folder / "memory")};
}

}  // namespace fx::aggregator
