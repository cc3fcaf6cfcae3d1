#include "tasks/onednn/arena.h"

#include <sys/mman.h>

#include <algorithm>

namespace fx::onednn {
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kMostReserved = std::size_t{1} << 40;
constexpr std::size_t kLeastReserved = std::size_t{1} << 28;

std::size_t RoundUp(std::size_t size, std::size_t unit) {
  return (size + unit - 1) / unit * unit;
}

}  // namespace

Arena::~Arena() {
  if (base_ != nullptr) munmap(base_, reserved_);
}

std::byte* Arena::Take(std::size_t bytes) {
  if (base_ == nullptr && !Reserve()) return nullptr;
  const std::size_t size = RoundUp(std::max<std::size_t>(bytes, 1), kLine);
  const std::size_t begin = FindRoom(size);
  if (!Commit(begin + size)) return nullptr;
  blocks_[begin] = {.size = size, .owner = owner_};
  peak_ = std::max(peak_, begin + size);
  return base_ + begin;
}

void Arena::Release(std::size_t first, std::span<const void* const> live) {
  std::erase_if(blocks_, [&](const auto& entry) {
    const auto& [begin, block] = entry;
    if (block.owner < first || block.owner == kForever) return false;
    return std::ranges::none_of(live, [&](const void* p) { return Holds(begin, block, p); });
  });
}

// The smallest gap that is large enough; the lowest of equal ones.
std::size_t Arena::FindRoom(std::size_t size) const {
  std::size_t end = 0, best = 0, best_gap = std::numeric_limits<std::size_t>::max();
  for (const auto& [begin, block] : blocks_) {
    const std::size_t gap = begin - end;
    if (gap >= size && gap < best_gap) {
      best = end;
      best_gap = gap;
    }
    end = begin + block.size;
  }
  return best_gap == std::numeric_limits<std::size_t>::max() ? end : best;
}

// Addresses without memory are free, but a limit of address space may forbid so many.
bool Arena::Reserve() {
  for (std::size_t size = kMostReserved; size >= kLeastReserved; size /= 2) {
    void* const range =
        mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (range == MAP_FAILED) continue;
    base_ = static_cast<std::byte*>(range);
    reserved_ = size;
    return true;
  }
  return false;
}

bool Arena::Commit(std::size_t end) {
  if (end <= committed_) return true;
  const std::size_t wanted = RoundUp(end, kHugePage);
  if (wanted > reserved_) return false;
  std::byte* const begin = base_ + committed_;
  if (mprotect(begin, wanted - committed_, PROT_READ | PROT_WRITE) != 0) return false;
  (void)madvise(begin, wanted - committed_, MADV_HUGEPAGE);  // a wish
  committed_ = wanted;
  return true;
}

bool Arena::Holds(std::size_t begin, const Block& block, const void* address) const {
  const auto* const p = static_cast<const std::byte*>(address);
  return p >= base_ + begin && p < base_ + begin + block.size;
}

}  // namespace fx::onednn
