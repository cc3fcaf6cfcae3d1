#include "core/base/memory.h"

#include <malloc.h>

namespace fx {

void KeepFreedMemory() {
  constexpr int kNever = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kNever);
  mallopt(M_TRIM_THRESHOLD, kNever);
}

void ReturnFreedMemory() {
  malloc_trim(0);
}

}  // namespace fx
