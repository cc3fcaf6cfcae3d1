// A private key: made, written and read with the care one needs. Its text is wiped after use.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/openssl.h"
#include "pki/secret_text.h"

namespace fx {

enum class KeyKind {
  kEcdsaP384,  // ours: leaves TLS 1.3 as the only protocol (rpc/credentials.h)
  kRsa3072,    // OpenFL's
};
// What new keys are.
constexpr KeyKind kDefaultKeyKind = KeyKind::kEcdsaP384;

// Where the passphrase of a locked key comes from: asked only if there is need, with the name of
// the key's file. An empty function means that nobody is there to type one.
using Passphrase = std::function<Result<SecretText>(const std::string& place)>;

class PrivateKey {
 public:
  static Result<PrivateKey> Generate(KeyKind kind = kDefaultKeyKind);

  // PEM in PKCS#8, PKCS#1 ("RSA PRIVATE KEY", OpenFL's) or SEC1 ("EC PRIVATE KEY"). `place` names
  // the text in errors. Refuses a key under a passphrase that does not come or does not fit.
  static Result<PrivateKey> FromPem(std::string_view pem, const std::string& place,
                                    const Passphrase& passphrase = {});
  // Refuses a file that group or others can access, saying the chmod that helps.
  static Result<PrivateKey> Load(const Path& path, const Passphrase& passphrase = {});

  // PKCS#8; under the passphrase, if there is one, by PBES2 (RFC 8018) with AES-256-CBC and 600,000
  // iterations of PBKDF2.
  Result<SecretText> ToPem(const SecretText* passphrase = nullptr) const;
  // Writes PKCS#8, mode 0600, whole or not at all.
  Status Save(const Path& path, const SecretText* passphrase = nullptr) const;

  bool is_ecdsa() const;
  KeyKind kind() const { return is_ecdsa() ? KeyKind::kEcdsaP384 : KeyKind::kRsa3072; }
  EVP_PKEY* get() const { return key_.get(); }

 private:
  explicit PrivateKey(EvpKeyPtr key) : key_(std::move(key)) {}
  EvpKeyPtr key_;
};

// Refuses a file that group or others can access, saying the chmod that helps.
Status CheckPrivate(const Path& key_file);

// Refuses public keys too weak or too unusual to sign for: anything but RSA of 2048 to 8192 bits
// and ECDSA over P-256, P-384 or P-521.
Status CheckPublicKey(const EVP_PKEY* key, const std::string& place);

}  // namespace fx
