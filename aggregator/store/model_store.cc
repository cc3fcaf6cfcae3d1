#include "aggregator/store/model_store.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "aggregator/store/file_name.h"
#include "core/base/digest.h"
#include "core/base/failpoint.h"
#include "core/base/format.h"

namespace fx::aggregator {

Result<ModelStore> ModelStore::Open(const Path& folder) {
  FX_FAILPOINT_SCOPE("models.open");
  TRY(MakeFolders(folder));
  for (const Path& file : TRY(ListFolder(folder))) {
    if (file.filename().string().starts_with("tmp-")) TRY(RemoveIfExists(file));
  }
  return ModelStore(folder);
}

Path ModelStore::PathOf(const ModelId& id) const {
  return folder_ / (EscapeFileName(id.value) + ".fxm");
}

Result<ModelFile> ModelStore::OpenModel(const ModelId& id) const {
  const Path path = PathOf(id);
  if (!Exists(path)) {
    return Fail(ErrorCode::kNotFound,
                format("model {} is not in {}: it was never committed there, or has been removed "
                       "because newer models replaced it",
                       id.value, folder_.string()));
  }
  return ModelFile::Open(path);
}

Result<std::shared_ptr<const ModelFile>> ModelStore::ShareModel(const ModelId& id) const {
  const std::lock_guard lock(shared_->mutex);
  if (const auto lent = shared_->lent.find(id); lent != shared_->lent.end()) {
    if (auto open = lent->second.lock()) return open;
  }
  auto model = std::make_shared<const ModelFile>(TRY(OpenModel(id)));
  shared_->lent[id] = model;  // no entry for what anybody may ask for
  return model;
}

Result<ModelId> ModelStore::Add(const Model& model) const {
  FX_FAILPOINT_SCOPE("models.add");
  const Path temp = TempPath();
  const WrittenModel written = TRY(WriteModelFile(temp, model, DigestKind::kSha256));
  return Take(temp, written.digest);
}

Result<ModelId> ModelStore::Take(const Path& temp, const std::string& sha256) const {
  FX_FAILPOINT_SCOPE("models.adopt");
  ModelId id{sha256};
  TRY(RenameDurably(temp, PathOf(id)));
  return id;
}

Result<ModelId> ModelStore::Adopt(const Path& temp, const std::string& sha256,
                                  const std::string& fast_digest) const {
  ModelId id = TRY(Take(temp, sha256));
  const std::lock_guard lock(shared_->mutex);
  shared_->fast_digests[id] = fast_digest;
  return id;
}

Result<std::string> ModelStore::FastDigestOf(const ModelId& id) const {
  const std::lock_guard lock(shared_->mutex);  // whoever comes second waits for the first
  const auto known = shared_->fast_digests.find(id);
  if (known != shared_->fast_digests.end()) return known->second;
  const ModelFile model = TRY(OpenModel(id));
  FastDigest digest;
  digest.Update(model.file_bytes());
  return shared_->fast_digests[id] = std::move(digest).FinishHex();
}

Path ModelStore::TempPath() const {
  Path temp = folder_ / format("tmp-{}", shared_->next_temp.fetch_add(1));
  const std::lock_guard lock(shared_->mutex);
  if (std::exchange(shared_->spare, false)) (void)RenameFile(SparePath(), temp);
  return temp;
}

// Whoever downloads the model goes on reading its file, which nothing may overwrite then.
Status ModelStore::Discard(const Path& file) const {
  const bool is_lent = std::ranges::any_of(
      shared_->lent, [&](const auto& entry) { return PathOf(entry.first) == file; });
  if (is_lent || shared_->spare) return RemoveIfExists(file);
  shared_->spare = true;
  return RenameFile(file, SparePath());
}

Status ModelStore::RemoveSpare() const {
  const std::lock_guard lock(shared_->mutex);
  shared_->spare = false;
  return RemoveIfExists(SparePath());
}

Status ModelStore::Prune(std::span<const ModelId> keep) const {
  FX_FAILPOINT_SCOPE("models.prune");
  std::vector<Path> kept;
  const std::lock_guard lock(shared_->mutex);
  std::erase_if(shared_->lent, [](const auto& entry) { return entry.second.expired(); });
  for (const ModelId& id : keep) kept.push_back(PathOf(id));
  for (const Path& file : TRY(ListFolder(folder_))) {
    if (file.extension() != ".fxm" || std::ranges::find(kept, file) != kept.end()) continue;
    TRY(Discard(file));
  }
  std::erase_if(shared_->fast_digests, [&](const auto& entry) {
    return std::ranges::find(keep, entry.first) == keep.end();
  });
  return Ok();
}

}  // namespace fx::aggregator
