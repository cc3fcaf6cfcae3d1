// Randomness without state: every draw is a pure function of a key and a counter, so that the same
// plan gives the same bytes after a crash, on any number of threads, and in a simulation.
//
// Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC'11.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace fx {

// Ten rounds of Philox4x32 on one 128-bit counter block.
std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key);

// A stream of draws. Two streams made from different (seed, purpose, a, b, c) are independent; from
// the same they are equal. Cheap to make and to copy.
class RandomStream {
 public:
  // `purpose` is a short literal such as "shuffle"; a, b, c are e.g. round, epoch, layer, or the
  // hash of a collaborator's name (HashName).
  RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t a = 0,
               std::uint64_t b = 0, std::uint64_t c = 0);

  std::uint32_t NextU32();
  std::uint64_t NextU64();
  // Uniform in [0, 1): 24 random bits, every value exactly representable.
  float NextFloat();
  // Uniform in [0, bound) without modulo bias (Lemire 2019). bound > 0.
  std::uint64_t Below(std::uint64_t bound);
  // Standard normal (Box-Muller, the cosine half): two 64-bit draws each.
  double NextNormal();

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;
};

// A stable 64-bit number for a name (FNV-1a).
std::uint64_t HashName(std::string_view name);

// Fisher-Yates permutation of 0..n-1; n below 2^32.
std::vector<std::uint32_t> Permutation(std::size_t n, RandomStream stream);

}  // namespace fx
