// Digests. SHA-2 (FIPS 180-4) where people compare or sign: models, plans, certificate requests.
// XXH3-128 where bytes that TLS has already authenticated are told apart: updates in flight.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fx {

// Lower-case hex of the digest of `bytes`.
std::string Sha256Hex(std::span<const std::byte> bytes);
std::string Sha384Hex(std::string_view text);

// Lower-case hex of any bytes.
std::string Hex(std::span<const std::byte> bytes);

// Streaming SHA-256: Update any number of times, then Finish once. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void Update(std::span<const std::byte> bytes);
  std::string FinishHex() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Streaming XXH3-128, same rules. Not a cryptographic digest: it tells honest bytes apart, and is
// only ever used where the sender is authenticated and can hurt nobody but itself by a collision.
class FastDigest {
 public:
  FastDigest();
  ~FastDigest();
  FastDigest(FastDigest&&) noexcept;
  FastDigest& operator=(FastDigest&&) noexcept;
  void Update(std::span<const std::byte> bytes);
  std::string FinishHex() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fx
