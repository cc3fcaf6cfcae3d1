#include "aggregator/store/spool.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "aggregator/store/file_name.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

constexpr unsigned kFolderMode = 0700;  // updates are nobody else's business

std::optional<std::uint32_t> RoundOf(const std::string& file_name) {
  std::uint32_t round = 0;
  const char* end = file_name.data() + file_name.size();
  const auto [rest, error] = std::from_chars(file_name.data(), end, round);
  if (error != std::errc() || rest == end || *rest != '+') return std::nullopt;
  return round;
}

}  // namespace

Result<Spool> Spool::Open(const Path& folder) {
  TRY(MakeFolders(folder, kFolderMode));
  for (const Path& file : TRY(ListFolder(folder))) {
    if (file.filename().string().starts_with("tmp-")) TRY(RemoveIfExists(file));
  }
  return Spool(folder);
}

Path Spool::TempPath(RequestId request) const {
  return folder_ / format("tmp-{}", static_cast<std::uint64_t>(request));
}

Path Spool::PathOf(Round round, const CollaboratorName& who, const TaskName& task,
                   const UpdateId& update) const {
  return folder_ / format("{}+{}+{}+{}.fxm", Number(round), EscapeFileName(who.value),
                          EscapeFileName(task.value), EscapeFileName(update.value));
}

Status Spool::Commit(const Path& temp, Round round, const CollaboratorName& who,
                     const TaskName& task, const UpdateId& update) const {
  return RenameDurably(temp, PathOf(round, who, task, update));
}

Status Spool::Sweep(Round before) const {
  for (const Path& file : TRY(ListFolder(folder_))) {
    const std::optional<std::uint32_t> round = RoundOf(file.filename().string());
    if (round && *round < Number(before)) TRY(RemoveIfExists(file));
  }
  return Ok();
}

}  // namespace fx::aggregator
