#include "core/base/memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace fx {
namespace {

struct Mapping {
  std::uintptr_t begin = 0, end = 0;
  bool of_file = false;  // that nobody can write to here
  bool changed = false;  // some pages are not the file's, here or in swap space
};

// The first line of one in proc(5)'s smaps: "7f00-7fff r-xp 0 fe:00 12 /lib/libgrpc.so". None: the
// line is about the mapping before.
std::optional<Mapping> ParseMapping(const std::string& text) {
  std::istringstream line(text);
  Mapping mapping;
  char dash = 0;
  std::string permissions, offset, device, inode, path;
  line >> std::hex >> mapping.begin >> dash >> mapping.end >> permissions;
  if (!line || dash != '-') return std::nullopt;
  line >> offset >> device >> inode >> path;
  mapping.of_file = permissions.at(1) == '-' && path.starts_with('/');
  return mapping;
}

// Program and libraries, but not their pages that differ from the file: relocated, or with a
// breakpoint of a debugger in them.
void ReturnUnchangedFilePages() {
  std::ifstream smaps("/proc/self/smaps");
  Mapping at;
  for (std::string line; std::getline(smaps, line);) {
    if (const auto next = ParseMapping(line)) at = *next;
    const bool none = line.ends_with(" 0 kB");
    if (line.starts_with("Anonymous:")) at.changed = !none;
    if (!line.starts_with("Swap:") || !none || !at.of_file || at.changed) continue;
    (void)madvise(reinterpret_cast<void*>(at.begin), at.end - at.begin, MADV_DONTNEED);
  }
}

}  // namespace

void KeepFreedMemory() {
  constexpr int kNever = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kNever);
  mallopt(M_TRIM_THRESHOLD, kNever);
  constexpr int kArenas = 2;  // what is kept in one is not to be had in another
  mallopt(M_ARENA_MAX, kArenas);
}

void ReturnIdleMemory() {
  malloc_trim(0);
  ReturnUnchangedFilePages();
}

}  // namespace fx
