#include "aggregator/store/memory_store.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "aggregator/store/file_name.h"
#include "core/base/failpoint.h"
#include "core/base/format.h"

namespace fx::aggregator {
namespace {

// Of "<round>-...".
std::optional<std::uint32_t> RoundOf(const Path& file) {
  const std::string name = file.filename().string();
  std::uint32_t round = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), round);
  if (error != std::errc() || end == name.data() + name.size() || *end != '-') return std::nullopt;
  return round;
}

// The rounds that files are kept for.
Result<std::set<std::uint32_t>> RoundsIn(const Path& folder) {
  std::set<std::uint32_t> rounds;
  if (!Exists(folder)) return rounds;
  for (const Path& file : TRY(ListFolder(folder))) {
    if (const auto round = RoundOf(file)) rounds.insert(*round);
  }
  return rounds;
}

}  // namespace

Path MemoryStore::PathOf(Round round, const ModelId& model, std::size_t index) const {
  return folder_ / format("{}-{}-{}.fxm", Number(round), EscapeFileName(model.value), index);
}

Result<std::vector<Path>> MemoryStore::Find(Round round, const ModelId& base,
                                            std::size_t count) const {
  const std::set<std::uint32_t> rounds = TRY(RoundsIn(folder_));
  for (auto it = rounds.upper_bound(Number(round)); it != rounds.begin();) {
    --it;
    std::vector<Path> files;
    for (std::size_t i = 0; i < count; ++i) files.push_back(PathOf(Round{*it}, base, i));
    if (std::ranges::all_of(files, [](const Path& file) { return Exists(file); })) return files;
  }
  return Fail(Error(ErrorCode::kNotFound,
                    format("what the aggregation function kept with model {} is not in {}",
                           base.value, folder_.string()))
                  .Hint("bring the folder back from where it was moved or saved, whole; without it "
                        "the federation would go on as if it had just begun"));
}

Result<std::vector<Path>> MemoryStore::TempPaths(std::size_t count) const {
  TRY(MakeFolders(folder_));
  std::vector<Path> temps;
  for (std::size_t i = 0; i < count; ++i) temps.push_back(folder_ / format("tmp-{}", i));
  return temps;
}

Status MemoryStore::Adopt(const std::vector<Path>& temps, Round round, const ModelId& model) const {
  FX_FAILPOINT_SCOPE("memory.adopt");
  for (std::size_t i = 0; i < temps.size(); ++i) {
    TRY(RenameDurably(temps[i], PathOf(round, model, i)));
  }
  return Ok();
}

Status MemoryStore::Prune(Round round) const {
  const std::set<std::uint32_t> rounds = TRY(RoundsIn(folder_));
  const auto after = rounds.upper_bound(Number(round));
  if (after == rounds.begin()) return Ok();
  const std::uint32_t newest = *std::prev(after);
  for (const Path& file : TRY(ListFolder(folder_))) {
    const auto kept_for = RoundOf(file);
    if (kept_for && *kept_for < newest) TRY(RemoveIfExists(file));
  }
  return Ok();
}

}  // namespace fx::aggregator
