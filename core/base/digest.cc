#include "core/base/digest.h"

#include <openssl/evp.h>
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h>  // the same names, by what the processor has
#endif

#include <array>
#include <utility>

#include "core/base/error.h"
#include "core/base/sha1.h"

namespace fx {
namespace {

// One EVP context; the algorithms used are built into libcrypto, so none of these calls can fail
// but for want of memory.
class Evp {
 public:
  explicit Evp(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new()) {
    FX_CHECK(context_ != nullptr);
    FX_CHECK(EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }

  void Update(std::span<const std::byte> bytes) {
    FX_CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }

  std::string FinishHex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out;
    unsigned size = 0;
    FX_CHECK(EVP_DigestFinal_ex(context_.get(), out.data(), &size) == 1);
    return Hex(std::as_bytes(std::span(out).first(size)));
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

std::string Hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::byte b : bytes) {
    text += kDigits[std::to_integer<std::size_t>(b >> 4)];
    text += kDigits[std::to_integer<std::size_t>(b & std::byte{15})];
  }
  return text;
}

std::string Sha256Hex(std::span<const std::byte> bytes) {
  Sha256 digest;
  digest.Update(bytes);
  return std::move(digest).FinishHex();
}

std::string Sha384Hex(std::string_view text) {
  Evp evp(EVP_sha384());
  evp.Update(std::as_bytes(std::span(text)));
  return evp.FinishHex();
}

std::string Sha1Hex(std::span<const std::byte> bytes) {
  Evp evp(EVP_sha1());
  evp.Update(bytes);
  return evp.FinishHex();
}

struct Sha256::State {
  Evp evp{EVP_sha256()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(std::span<const std::byte> bytes) {
  state_->evp.Update(bytes);
}

std::string Sha256::FinishHex() && {
  return state_->evp.FinishHex();
}

struct FastDigest::State {
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> xxh{XXH3_createState()};
};

FastDigest::FastDigest() : state_(std::make_unique<State>()) {
  FX_CHECK(state_->xxh != nullptr);
  FX_CHECK(XXH3_128bits_reset(state_->xxh.get()) == XXH_OK);
}
FastDigest::~FastDigest() = default;
FastDigest::FastDigest(FastDigest&&) noexcept = default;
FastDigest& FastDigest::operator=(FastDigest&&) noexcept = default;

void FastDigest::Update(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  FX_CHECK(XXH3_128bits_update(state_->xxh.get(), bytes.data(), bytes.size()) == XXH_OK);
}

std::string FastDigest::FinishHex() && {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->xxh.get()));
  return Hex(std::as_bytes(std::span(canonical.digest)));
}

}  // namespace fx
