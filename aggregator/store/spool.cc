#include "aggregator/store/spool.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "aggregator/store/file_name.h"
#include "core/base/digest.h"
#include "core/base/failpoint.h"
#include "core/base/format.h"
#include "core/base/log.h"
#include "core/base/partial_file.h"

namespace fx::aggregator {
namespace {

constexpr unsigned kFolderMode = 0700;  // updates are nobody else's business
constexpr std::string_view kPartial = ".part";
constexpr std::string_view kCommitted = ".fxm";
constexpr std::string_view kSpare = "spare-";
constexpr int kFields = 4;

std::optional<std::uint32_t> RoundOf(const std::string& file_name) {
  std::uint32_t round = 0;
  const char* end = file_name.data() + file_name.size();
  const auto [rest, error] = std::from_chars(file_name.data(), end, round);
  if (error != std::errc() || rest == end || *rest != '+') return std::nullopt;
  return round;
}

// Whether the bytes are those whose digest the name ends in.
Result<bool> IsWhole(const Path& file) {
  const MappedFile mapped = TRY(MappedFile::Open(file));
  FastDigest digest;
  digest.Update(mapped.bytes());
  return file.stem().string().ends_with("+" + std::move(digest).FinishHex());
}

// Whose partial file it is, escaped; none if it is not named like one.
std::optional<std::string> OwnerOf(const std::string& file_name) {
  if (!RoundOf(file_name) || std::ranges::count(file_name, '+') != kFields - 1) return std::nullopt;
  const std::size_t begin = file_name.find('+') + 1;
  return file_name.substr(begin, file_name.find('+', begin) - begin);
}

}  // namespace

Result<Spool> Spool::Open(const Path& folder, Sync sync) {
  FX_FAILPOINT_SCOPE("spool.open");
  TRY(MakeFolders(folder, kFolderMode));
  Spool spool(folder, sync);
  for (const Path& file : TRY(ListFolder(folder))) {
    if (file.filename().string().ends_with(kPartial)) TRY(spool.Remember(file));
    // Killed between a rename and its fsync, a process leaves an update that Holds vouches for and
    // a power cut can take. Renaming it to what it is called makes that durable.
    if (file.extension() == kCommitted) TRY(RenameDurably(file, file));
    if (file.filename().string().starts_with("tmp-")) TRY(RemoveIfExists(file));
    if (file.filename().string().starts_with(kSpare)) TRY(RemoveIfExists(file));
    if (file.extension() == kCommitted && sync == Sync::kTogether && !TRY(IsWhole(file))) {
      LogWarning("an update did not survive a power cut", {{"file", file.filename().string()}});
      TRY(RemoveIfExists(file));
    }
  }
  return spool;
}

Status Spool::Remember(const Path& partial) {
  const std::optional<std::string> owner = OwnerOf(partial.filename().string());
  if (owner && known_->partials.emplace(*owner, partial).second) return Ok();
  return RemoveIfExists(partial);
}

Result<Path> Spool::ClaimPartial(Round round, const CollaboratorName& who, const TaskName& task,
                                 const UpdateId& update, std::uint64_t size) const {
  FX_FAILPOINT_SCOPE("spool.claim");
  Path path = PathOf(round, who, task, update).replace_extension(kPartial);
  const std::lock_guard lock(known_->mutex);
  Path& known = known_->partials[EscapeFileName(who.value)];
  if (known == path) return path;
  if (!known.empty()) TRY(RemoveIfExists(known));
  TRY(UseSpare(path, size));
  known = path;
  return path;
}

Status Spool::UseSpare(const Path& partial, std::uint64_t size) const {
  if (known_->spares.empty()) return Ok();
  const Path spare = std::move(known_->spares.back());
  known_->spares.pop_back();
  if (PartialFile::Reuse(spare, partial, size)) return Ok();
  TRY(RemoveIfExists(spare));  // a new file will do
  return RemoveIfExists(partial);
}

Status Spool::MakeSpare(const Path& file) const {
  Path spare = folder_ / format("{}{}", kSpare, known_->next_spare++);
  TRY(RenameFile(file, spare));
  known_->committed.erase(file);
  known_->spares.push_back(std::move(spare));
  return Ok();
}

Status Spool::RemoveSpares() const {
  const std::lock_guard lock(known_->mutex);
  for (const Path& spare : std::exchange(known_->spares, {})) TRY(RemoveIfExists(spare));
  return Ok();
}

Path Spool::PathOf(Round round, const CollaboratorName& who, const TaskName& task,
                   const UpdateId& update) const {
  return folder_ / format("{}+{}+{}+{}.fxm", Number(round), EscapeFileName(who.value),
                          EscapeFileName(task.value), EscapeFileName(update.value));
}

Status Spool::Commit(const Path& temp, Round round, const CollaboratorName& who,
                     const TaskName& task, const UpdateId& update) const {
  FX_FAILPOINT_SCOPE("spool.commit");
  Path path = PathOf(round, who, task, update);
  const Status renamed = syncs_each() ? RenameDurably(temp, path) : RenameFile(temp, path);
  if (!renamed) {
    (void)RemoveIfExists(path);  // the name may be there and not be durable: it must not count
    return renamed;
  }
  const std::lock_guard lock(known_->mutex);
  known_->committed.insert(std::move(path));
  return Ok();
}

Status Spool::SyncAll() const {
  FX_FAILPOINT_SCOPE("spool.sync");
  for (const Path& file : TRY(ListFolder(folder_))) {
    if (file.extension() != kCommitted) continue;
    OutputFile out = TRY(OutputFile::Open(file, OutputFile::Existing::kKeep, FileMode::kPrivate));
    TRY(out.Sync());
  }
  return SyncFolder(folder_);
}

bool Spool::Vouches(const Path& file) const {
  const std::lock_guard lock(known_->mutex);
  return known_->committed.contains(file);
}

Status Spool::Sweep(Round before) const {
  FX_FAILPOINT_SCOPE("spool.sweep");
  TRY(RemoveSpares());
  for (const Path& file : TRY(ListFolder(folder_))) {
    const std::optional<std::uint32_t> round = RoundOf(file.filename().string());
    if (!round || *round >= Number(before)) continue;
    const std::lock_guard lock(known_->mutex);
    TRY(file.extension() == kCommitted ? MakeSpare(file) : RemoveIfExists(file));
  }
  return Ok();
}

}  // namespace fx::aggregator
