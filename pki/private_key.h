// A private key: made, written and read with the care one needs. Its text is wiped after use.
#pragma once

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

class PrivateKey {
 public:
  static Result<PrivateKey> Generate(KeyKind kind = kDefaultKeyKind);

  // PEM in PKCS#8, PKCS#1 ("RSA PRIVATE KEY", OpenFL's) or SEC1 ("EC PRIVATE KEY"). `place` names
  // the text in errors. Refuses a key under a passphrase: nobody is there to type it.
  static Result<PrivateKey> FromPem(std::string_view pem, const std::string& place);
  // Refuses a file that group or others can access, saying the chmod that helps.
  static Result<PrivateKey> Load(const Path& path);

  // PKCS#8.
  Result<SecretText> ToPem() const;
  // Writes PKCS#8, mode 0600, whole or not at all.
  Status Save(const Path& path) const;

  bool is_ecdsa() const;
  EVP_PKEY* get() const { return key_.get(); }

 private:
  explicit PrivateKey(EvpKeyPtr key) : key_(std::move(key)) {}
  EvpKeyPtr key_;
};

// Refuses public keys too weak or too unusual to sign for: anything but RSA of 2048 to 8192 bits
// and ECDSA over P-256, P-384 or P-521.
Status CheckPublicKey(const EVP_PKEY* key, const std::string& place);

}  // namespace fx
