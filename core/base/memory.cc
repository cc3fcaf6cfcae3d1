#include "core/base/memory.h"

#include <malloc.h>

namespace fx {

void KeepFreedMemory() {
  constexpr int kNever = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kNever);
  mallopt(M_TRIM_THRESHOLD, kNever);
  constexpr int kArenas = 2;  // what is kept in one is not to be had in another
  mallopt(M_ARENA_MAX, kArenas);
}

void ReturnFreedMemory() {
  malloc_trim(0);
}

}  // namespace fx
