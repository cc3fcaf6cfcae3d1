#include "tests/bench/aggregation/ceilings.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/error.h"

namespace fx::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kTries = 5;

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::uint64_t Sum(const std::vector<std::uint64_t>& block) {
  std::array<std::uint64_t, 8> sums{};
  for (std::size_t i = 0; i + 8 <= block.size(); i += 8) {
    for (std::size_t k = 0; k < 8; ++k) sums[k] += block[i + k];
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t s : sums) sum += s;
  return sum;
}

}  // namespace

double MemoryReadGbps(int threads) {
  constexpr std::size_t kWords = (256 << 20) / sizeof(std::uint64_t);
  const std::vector<std::vector<std::uint64_t>> blocks(static_cast<std::size_t>(threads),
                                                       std::vector<std::uint64_t>(kWords, 1));
  std::atomic<std::uint64_t> total = 0;
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const Clock::time_point begin = Clock::now();
    {
      std::vector<std::jthread> readers;
      for (const auto& block : blocks) readers.emplace_back([&] { total += Sum(block); });
    }
    const double bytes = static_cast<double>(blocks.size() * kWords * sizeof(std::uint64_t));
    best = std::max(best, bytes / 1e9 / SecondsSince(begin));
  }
  FX_CHECK(total == static_cast<std::uint64_t>(kTries) * blocks.size() * kWords);
  return best;
}

double AesGcmGbps() {
  constexpr std::size_t kRecord = 16 << 10;
  constexpr std::size_t kRecords = 16'000;
  const std::array<unsigned char, 32> key{1};
  const std::array<unsigned char, 12> nonce{2};
  std::vector<unsigned char> plain(kRecord, 3);
  std::vector<unsigned char> sealed(kRecord);
  std::array<unsigned char, 16> tag{};
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free);
  EVP_CIPHER_CTX* const c = context.get();
  FX_CHECK(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), nullptr, key.data(), nonce.data()) == 1);
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const Clock::time_point begin = Clock::now();
    for (std::size_t r = 0; r < kRecords; ++r) {
      int n = 0;
      FX_CHECK(EVP_EncryptInit_ex(c, nullptr, nullptr, nullptr, nonce.data()) == 1);
      FX_CHECK(EVP_EncryptUpdate(c, sealed.data(), &n, plain.data(), kRecord) == 1);
      FX_CHECK(EVP_EncryptFinal_ex(c, sealed.data() + n, &n) == 1);
      FX_CHECK(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, tag.size(), tag.data()) == 1);
    }
    best = std::max(best, static_cast<double>(kRecord * kRecords) / 1e9 / SecondsSince(begin));
  }
  return best;
}

}  // namespace fx::bench
