#include "fx/file_stamps.h"

#include <sys/stat.h>

#include <utility>

namespace fx {

FileStamps::Stamp FileStamps::StampOf(const Path& file) {
  struct stat found {};
  if (stat(file.c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec, found.st_mtim.tv_nsec,
          found.st_size,        static_cast<std::int64_t>(found.st_ino),
          found.st_ctim.tv_sec, found.st_ctim.tv_nsec};
}

bool FileStamps::Changed(const std::vector<Path>& files) {
  bool changed = false;
  for (const Path& file : files) {
    Stamp now = StampOf(file);
    const auto [at, fresh] = seen_.try_emplace(file, now);
    changed = changed || fresh || at->second != now;
    at->second = std::move(now);
  }
  return changed;
}

}  // namespace fx
