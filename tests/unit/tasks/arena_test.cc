#include "tasks/onednn/arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/random.h"

namespace fx::onednn {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

TEST(Arena, GivesWhatWasReleasedToTheNext) {
  Arena arena;
  arena.set_owner(0);
  std::byte* const first = arena.Take(kMegabyte);
  arena.set_owner(1);
  std::byte* const second = arena.Take(kMegabyte);
  EXPECT_NE(first, second);
  arena.Release(1, {});
  EXPECT_EQ(arena.Take(kMegabyte), second);
  EXPECT_EQ(arena.peak(), 2 * kMegabyte);
}

TEST(Arena, KeepsBlocksWithSomethingLiveInThem) {
  Arena arena;
  arena.set_owner(3);
  std::byte* const whole = arena.Take(kMegabyte);
  std::byte* const dead = arena.Take(kMegabyte);
  const std::vector<const void*> live = {whole + kMegabyte / 2};
  arena.Release(0, live);
  EXPECT_EQ(arena.Take(2 * kMegabyte), dead);
}

TEST(Arena, KeepsWhatIsTakenForever) {
  Arena arena;
  std::byte* const kept = arena.Take(kMegabyte);
  arena.set_owner(0);
  arena.Take(kMegabyte);
  arena.Release(0, {});
  EXPECT_EQ(arena.Take(kMegabyte), kept + kMegabyte);
  arena.Restart();
  EXPECT_EQ(arena.Take(kMegabyte), kept);
}

TEST(Arena, TakesTheSmallestGapThatIsLargeEnough) {
  Arena arena;
  arena.set_owner(1);
  arena.Take(4 * kMegabyte);
  arena.set_owner(0);
  arena.Take(kMegabyte);
  arena.set_owner(1);
  std::byte* const small = arena.Take(kMegabyte);
  arena.set_owner(0);
  arena.Take(kMegabyte);
  arena.Release(1, {});
  EXPECT_EQ(arena.Take(kMegabyte / 2), small);
  EXPECT_EQ(arena.peak(), 7 * kMegabyte);
}

// Whatever is in use at the same time lies apart: each block keeps its pattern until it is given
// back.
TEST(Arena, NeverLendsAByteTwice) {
  Arena arena;
  RandomStream draws(1, "arena");
  struct Held {
    std::byte* at;
    std::size_t size;
    std::byte pattern;
  };
  std::vector<std::vector<Held>> held(4);
  for (int turn = 0; turn < 2000; ++turn) {
    const std::size_t owner = draws.NextU64() % held.size();
    if (draws.NextU64() % 8 == 0) {
      for (std::size_t i = owner; i < held.size(); ++i) {
        for (const Held& h : held[i]) {
          EXPECT_TRUE(
              std::all_of(h.at, h.at + h.size, [&](std::byte b) { return b == h.pattern; }));
        }
        held[i].clear();
      }
      arena.Release(owner, {});
      continue;
    }
    arena.set_owner(owner);
    const std::size_t size = draws.NextU64() % 5000 + 1;
    const auto pattern = static_cast<std::byte>(draws.NextU64());
    std::byte* const at = arena.Take(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % 64, 0U);
    std::memset(at, static_cast<int>(pattern), size);
    held[owner].push_back({.at = at, .size = size, .pattern = pattern});
  }
}

TEST(Arena, RefusesMoreThanThereAreAddresses) {
  Arena arena;
  EXPECT_EQ(arena.Take(std::size_t{1} << 50), nullptr);
}

}  // namespace
}  // namespace fx::onednn
