#include "core/base/random.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "core/base/error.h"

namespace fx {
namespace {

__extension__ using U128 = unsigned __int128;

constexpr std::uint32_t Low(std::uint64_t x) {
  return static_cast<std::uint32_t>(x);
}
constexpr std::uint32_t High(std::uint64_t x) {
  return static_cast<std::uint32_t>(x >> 32);
}

// Uniform in [0, 1): 53 random bits.
double UnitDouble(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

std::array<std::uint32_t, 4> Philox(std::array<std::uint32_t, 4> counter,
                                    std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {High(p1) ^ counter[1] ^ key[0], Low(p1), High(p0) ^ counter[3] ^ key[1], Low(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// Philox is used as its own hash: two blocks chained under the seed give 128 bits, half of them the
// key and half the upper counter words, so streams meet only if all 128 agree.
RandomStream::RandomStream(std::uint64_t seed, std::string_view purpose, std::uint64_t a,
                           std::uint64_t b, std::uint64_t c) {
  const std::array<std::uint32_t, 2> seed_key{Low(seed), High(seed)};
  const std::uint64_t p = HashName(purpose);
  const auto first = Philox({Low(p), High(p), Low(c), High(c)}, seed_key);
  const auto second = Philox(
      {first[0] ^ Low(a), first[1] ^ High(a), first[2] ^ Low(b), first[3] ^ High(b)}, seed_key);
  key_ = {second[0], second[1]};
  counter_ = {0, 0, second[2], second[3]};
}

std::uint32_t RandomStream::NextU32() {
  if (used_ == block_.size()) {
    block_ = Philox(counter_, key_);
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[used_++];
}

std::uint64_t RandomStream::NextU64() {
  const std::uint64_t low = NextU32();
  return std::uint64_t{NextU32()} << 32 | low;
}

float RandomStream::NextFloat() {
  return static_cast<float>(NextU32() >> 8) * 0x1p-24F;
}

std::uint64_t RandomStream::Below(std::uint64_t bound) {
  FX_CHECK(bound > 0);
  U128 product = U128{NextU64()} * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < threshold) product = U128{NextU64()} * bound;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double RandomStream::NextNormal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - UnitDouble(NextU64())));
  return radius * std::cos(2.0 * std::numbers::pi * UnitDouble(NextU64()));
}

std::uint64_t HashName(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

std::vector<std::uint32_t> Permutation(std::size_t n, RandomStream stream) {
  FX_CHECK(n <= 0xFFFFFFFF);
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[stream.Below(i)]);
  return order;
}

}  // namespace fx
