#include "pki/private_key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <system_error>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestKeyFile = 64 << 10;
// For PBKDF2 with HMAC-SHA-256, as OWASP's Password Storage Cheat Sheet has it; 0.2 s.
constexpr int kLockIterations = 600'000;

using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpenSslFree<PKCS8_PRIV_KEY_INFO_free>>;
using AlgorithmPtr = std::unique_ptr<X509_ALGOR, OpenSslFree<X509_ALGOR_free>>;
using X509SigPtr = std::unique_ptr<X509_SIG, OpenSslFree<X509_SIG_free>>;

struct Unlocking {
  const Passphrase& passphrase;
  const std::string& place;
  std::optional<Error> refused{};
};

// OpenSSL's default asks on the terminal; a server would hang there.
int GivePassphrase(char* to, int room, int, void* data) {
  auto& unlocking = *static_cast<Unlocking*>(data);
  if (!unlocking.passphrase) return -1;
  const Result<SecretText> given = unlocking.passphrase(unlocking.place);
  if (!given) unlocking.refused = given.error();
  if (!given || given->value().size() > static_cast<std::size_t>(room)) return -1;
  return static_cast<int>(given->value().copy(to, static_cast<std::size_t>(room)));
}

Error UnreadableKey(const Unlocking& unlocking, std::string_view pem) {
  const std::string& place = unlocking.place;
  const auto last = ERR_peek_last_error();
  const bool locked =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_BAD_PASSWORD_READ;
  if (locked || pem.find("ENCRYPTED") != std::string_view::npos) {
    ERR_clear_error();
    if (unlocking.refused) return *unlocking.refused;
    if (unlocking.passphrase) {
      return Error(ErrorCode::kUnauthenticated,
                   format("{}: the passphrase does not open this private key", place));
    }
    return Error(ErrorCode::kInvalidArgument,
                 format("{}: the private key is locked with a passphrase, and a service that "
                        "restarts has nobody to type it",
                        place))
        .Hint(format("unlock it with: openssl pkey -in {0} -out {0}", place));
  }
  return OpenSslError(ErrorCode::kInvalidArgument, format("{}: not a private key in PEM", place));
}

// PEM_write_bio_PKCS8PrivateKey would do with 2,048 iterations.
bool WriteLocked(BIO* bio, const EVP_PKEY* key, const std::string& passphrase) {
  const Pkcs8Ptr plain(EVP_PKEY2PKCS8(key));
  if (plain == nullptr) return false;
  AlgorithmPtr lock(PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), kLockIterations, nullptr, 0, nullptr,
                                      NID_hmacWithSHA256));
  if (lock == nullptr) return false;
  const X509SigPtr locked(PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()),
                                         plain.get(), lock.get()));
  if (locked == nullptr) return false;
  static_cast<void>(lock.release());  // it is in `locked` now
  return PEM_write_bio_PKCS8(bio, locked.get()) == 1;
}

}  // namespace

Result<PrivateKey> PrivateKey::Generate(KeyKind kind) {
  EvpKeyPtr key(kind == KeyKind::kRsa3072 ? EVP_RSA_gen(3072) : EVP_EC_gen("P-384"));
  if (key == nullptr) {
    return Fail(OpenSslError(ErrorCode::kInternal, "cannot generate a private key"));
  }
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::FromPem(std::string_view pem, const std::string& place,
                                       const Passphrase& passphrase) {
  const BioPtr bio = ReadBio(pem);
  Unlocking unlocking{.passphrase = passphrase, .place = place};
  EvpKeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, GivePassphrase, &unlocking));
  if (key == nullptr) return Fail(UnreadableKey(unlocking, pem));
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::Load(const Path& path, const Passphrase& passphrase) {
  const SecretText text(TRY(ReadFile(path, kLargestKeyFile)));
  TRY(CheckPrivate(path));
  return FromPem(text.value(), path.string(), passphrase);
}

Result<SecretText> PrivateKey::ToPem(const SecretText* passphrase) const {
  const BioPtr bio = WriteBio();
  const bool written = passphrase == nullptr
                           ? PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr,
                                                           0, nullptr, nullptr) == 1
                           : WriteLocked(bio.get(), key_.get(), passphrase->value());
  if (!written) return Fail(OpenSslError(ErrorCode::kInternal, "cannot encode a private key"));
  return SecretText(BioText(bio.get()));
}

Status PrivateKey::Save(const Path& path, const SecretText* passphrase) const {
  const SecretText pem = TRY(ToPem(passphrase));
  return AtomicWrite(path, pem.value(), FileMode::kPrivate);
}

bool PrivateKey::is_ecdsa() const {
  return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC;
}

Status CheckPrivate(const Path& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0) {
    const auto reason = std::generic_category().message(errno);
    return Fail(ErrorCode::kPermissionDenied, format("{}: {}", path.string(), reason));
  }
  // A cluster mounts secrets as root's, for a group that is the container's alone; PostgreSQL has
  // the same rule for its keys.
  const bool mounted = file.st_uid == 0 && geteuid() != 0;
  const mode_t others = file.st_mode & (mounted ? 0037U : 0077U);
  if (others == 0) return Ok();
  return Fail(Error(ErrorCode::kPermissionDenied,
                    format("{}: other users of this machine can access this private key (mode "
                           "{:04o}, expected {})",
                           path.string(), file.st_mode & 07777U,
                           mounted ? "0440, as it is root's" : "0600"))
                  .Hint("chmod 600 " + path.string()));
}

Status CheckPublicKey(const EVP_PKEY* key, const std::string& place) {
  const int bits = key == nullptr ? 0 : EVP_PKEY_get_bits(key);
  const int type = key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_get_base_id(key);
  std::array<char, 64> group{};
  if (type == EVP_PKEY_RSA && bits >= 2048 && bits <= 8192) return Ok();
  if (type == EVP_PKEY_EC &&
      EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1) {
    const std::string_view name = group.data();
    if (name == SN_X9_62_prime256v1 || name == SN_secp384r1 || name == SN_secp521r1) return Ok();
  }
  ERR_clear_error();
  return Fail(ErrorCode::kInvalidArgument,
              format("{}: its public key ({} bits) is not accepted; expected RSA of 2048 to 8192 "
                     "bits, or ECDSA over P-256, P-384 or P-521",
                     place, bits));
}

}  // namespace fx
