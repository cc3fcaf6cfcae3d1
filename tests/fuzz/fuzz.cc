#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <sanitizer/allocator_interface.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace fx::fuzz {
namespace {

// Allocated and not freed since the bound began; what is freed may be older, so it can be negative.
std::ptrdiff_t g_taken = 0;
std::ptrdiff_t g_peak = 0;

void OnMalloc(const volatile void*, std::size_t size) {
  g_taken += static_cast<std::ptrdiff_t>(size);
  g_peak = std::max(g_peak, g_taken);
}

void OnFree(const volatile void* memory) {
  if (memory == nullptr) return;
  g_taken -= static_cast<std::ptrdiff_t>(__sanitizer_get_allocated_size(memory));
}

}  // namespace

MemoryBound::MemoryBound(std::string_view input, std::size_t times, std::size_t allowance)
    : limit_(times * input.size() + allowance) {
  [[maybe_unused]] static const int kHooked =
      __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree);
  g_taken = 0;
  g_peak = 0;
}

MemoryBound::~MemoryBound() {
  if (g_peak <= static_cast<std::ptrdiff_t>(limit_)) return;
  std::fprintf(stderr, "%td bytes were allocated at once, expected at most %zu\n", g_peak, limit_);
  std::abort();
}

const Path& InputFile::Holding(std::string_view bytes) {
  const int fd = open(path_.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  FX_CHECK(fd >= 0);
  const ssize_t written = write(fd, bytes.data(), bytes.size());
  FX_CHECK(close(fd) == 0);
  FX_CHECK(written == static_cast<ssize_t>(bytes.size()));
  return path_;
}

bool IsPrintable(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace fx::fuzz

// What libFuzzer calls.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fx::fuzz::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
