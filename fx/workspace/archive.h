// Zip archives: what sites send each other. The one door to libarchive.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace fx {

struct ArchiveEntry {
  std::string name;  // relative, with '/' between folders; UTF-8
  std::string bytes;
  bool folder = false;
};

// Writes the entries in the given order, with fixed times and modes, so that equal entries make
// equal files on any day and machine. Whole or not at all. `stored` leaves the bytes uncompressed
// (what numpy expects of npz files).
Status WriteZip(const Path& path, const std::vector<ArchiveEntry>& entries, bool stored = false);

// Reads a whole archive into memory, trusting nothing in it. Refuses, naming the entry: a name that
// is absolute, has "..", a backslash or control characters, is not UTF-8, or occurs twice; anything
// but files and folders (links, devices); damage, as which an archive without entries counts;
// encryption; more than 100,000 entries or more than `max_total` bytes in all, before as after
// decompression.
Result<std::vector<ArchiveEntry>> ReadZip(const Path& path, std::uint64_t max_total = 1ULL << 30);

}  // namespace fx
