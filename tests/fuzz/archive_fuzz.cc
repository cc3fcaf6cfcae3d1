// Archives that sites send each other: what is unpacked is small enough, stays in its folder, and
// packs to what unpacks the same.
#include <algorithm>

#include "fx/workspace/archive.h"
#include "tests/fuzz/fuzz.h"

namespace fx::fuzz {
namespace {

constexpr std::uint64_t kMostBytes = 1U << 20;

void CheckEntries(const std::vector<ArchiveEntry>& entries) {
  std::uint64_t total = 0;
  for (const ArchiveEntry& entry : entries) {
    total += entry.bytes.size();
    const Path path = entry.name;
    FX_CHECK(IsPrintable(entry.name) && !entry.name.empty() && path.is_relative());
    FX_CHECK(std::ranges::find(path, "..") == path.end());
  }
  FX_CHECK(total <= kMostBytes);
}

bool Same(const ArchiveEntry& a, const ArchiveEntry& b) {
  return a.name == b.name && a.bytes == b.bytes && a.folder == b.folder;
}

}  // namespace

void Try(std::string_view input) {
  static InputFile file("in.zip");
  static InputFile copy("copy.zip");
  const auto entries = ReadZip(file.Holding(input), kMostBytes);
  if (!entries) {
    FX_CHECK(IsPrintable(entries.error().OneLine()));
    return;
  }
  CheckEntries(*entries);
  FX_CHECK(WriteZip(copy.path(), *entries).has_value());
  const auto again = ReadZip(copy.path(), kMostBytes);
  FX_CHECK(again.has_value() && std::ranges::equal(*entries, *again, Same));
}

}  // namespace fx::fuzz
