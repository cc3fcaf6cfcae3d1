#include "pki/private_key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <filesystem>
#include <system_error>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestKeyFile = 64 << 10;

// OpenSSL's default asks on the terminal; a server would hang there.
int NoPassphrase(char*, int, int, void*) {
  return -1;
}

Status RefuseIfOthersCanRead(const Path& path) {
  std::error_code ec;
  const auto status = std::filesystem::status(path, ec);
  if (ec) {
    return Fail(ErrorCode::kPermissionDenied, format("{}: {}", path.string(), ec.message()));
  }
  using std::filesystem::perms;
  const perms others = status.permissions() & (perms::group_all | perms::others_all);
  if (others == perms::none) return Ok();
  return Fail(Error(ErrorCode::kPermissionDenied,
                    format("{}: other users of this machine can access this private key (mode "
                           "{:04o}, expected 0600)",
                           path.string(), static_cast<unsigned>(status.permissions())))
                  .Hint("chmod 600 " + path.string()));
}

Error UnreadableKey(const std::string& place, std::string_view pem) {
  const auto last = ERR_peek_last_error();
  const bool passphrase =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_BAD_PASSWORD_READ;
  if (passphrase || pem.find("ENCRYPTED") != std::string_view::npos) {
    ERR_clear_error();
    return Error(ErrorCode::kInvalidArgument,
                 format("{}: the private key is locked with a passphrase, which is not supported",
                        place))
        .Hint(format("unlock it with: openssl pkey -in {0} -out {0}", place));
  }
  return OpenSslError(ErrorCode::kInvalidArgument, format("{}: not a private key in PEM", place));
}

}  // namespace

Result<PrivateKey> PrivateKey::Generate(KeyKind kind) {
  EvpKeyPtr key(kind == KeyKind::kRsa3072 ? EVP_RSA_gen(3072) : EVP_EC_gen("P-384"));
  if (key == nullptr) {
    return Fail(OpenSslError(ErrorCode::kInternal, "cannot generate a private key"));
  }
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::FromPem(std::string_view pem, const std::string& place) {
  const BioPtr bio = ReadBio(pem);
  EvpKeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return Fail(UnreadableKey(place, pem));
  return PrivateKey(std::move(key));
}

Result<PrivateKey> PrivateKey::Load(const Path& path) {
  const SecretText text(TRY(ReadFile(path, kLargestKeyFile)));
  TRY(RefuseIfOthersCanRead(path));
  return FromPem(text.value(), path.string());
}

Result<SecretText> PrivateKey::ToPem() const {
  const BioPtr bio = WriteBio();
  if (PEM_write_bio_PKCS8PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
      1) {
    return Fail(OpenSslError(ErrorCode::kInternal, "cannot encode a private key"));
  }
  return SecretText(BioText(bio.get()));
}

Status PrivateKey::Save(const Path& path) const {
  const SecretText pem = TRY(ToPem());
  return AtomicWrite(path, pem.value(), FileMode::kPrivate);
}

bool PrivateKey::is_ecdsa() const {
  return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_EC;
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
