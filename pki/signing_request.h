// A certificate signing request (PKCS#10, RFC 2986): a public key, a name, and proof that the
// sender holds the private key.
#pragma once

#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/identity.h"
#include "pki/openssl.h"
#include "pki/private_key.h"

namespace fx {

class SigningRequest {
 public:
  // Asks for a certificate for `identity`, with the extensions OpenFL's requests have.
  static Result<SigningRequest> Create(const PrivateKey& key, const Identity& identity);

  // Checks the proof of possession and the strength of the key. `place` names the text in errors.
  static Result<SigningRequest> FromPem(std::string pem, const std::string& place);
  static Result<SigningRequest> Load(const Path& path);

  // Refuses a request that asks for any name but this one.
  Status CheckIsFor(const Identity& identity, const std::string& place) const;
  bool Matches(const PrivateKey& key) const;

  // The text as created or read.
  const std::string& pem() const { return pem_; }
  // SHA-384 of that text, in hex: what two people compare over the telephone.
  std::string Fingerprint() const;

  X509_REQ* get() const { return request_.get(); }

 private:
  SigningRequest(X509ReqPtr request, std::string pem)
      : request_(std::move(request)), pem_(std::move(pem)) {}
  X509ReqPtr request_;
  std::string pem_;
};

}  // namespace fx
