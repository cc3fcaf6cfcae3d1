// Whether files have changed since they were last looked at.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/base/file.h"

namespace fx {

// Not thread-safe.
class FileStamps {
 public:
  // True if one of these was changed, made or removed since the last call that named it, or was
  // never named. It is not read: size, times and place on the disk tell.
  bool Changed(const std::vector<Path>& files);
  // As if nothing had ever been looked at.
  void Forget() { seen_.clear(); }
  void Forget(const Path& file) { seen_.erase(file); }

 private:
  using Stamp = std::vector<std::int64_t>;
  static Stamp StampOf(const Path& file);

  std::map<Path, Stamp> seen_;
};

}  // namespace fx
