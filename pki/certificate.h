// An X.509 certificate (RFC 5280) and what this project asks of one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/openssl.h"
#include "pki/private_key.h"

namespace fx {

// Seconds since the Unix epoch, both ends included.
struct Validity {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

// "2026-11-21 10:44 UTC"
std::string UtcText(std::int64_t seconds);

// Cheap to copy: the object behind it is immutable and counted.
class Certificate {
 public:
  explicit Certificate(X509Ptr x509) : x509_(std::move(x509)) {}
  Certificate(const Certificate& other);
  Certificate& operator=(const Certificate&) = delete;
  Certificate(Certificate&&) noexcept = default;

  // The first certificate of the text; `place` names the text in errors.
  static Result<Certificate> FromPem(std::string_view pem, const std::string& place);
  static Result<Certificate> Load(const Path& path);
  std::string ToPem() const;

  Validity validity() const;
  std::string Serial() const;              // SerialText of it
  std::string CommonName() const;          // "" if it has none or several
  std::vector<std::string> Names() const;  // subject alternative names, DNS and IP, as text
  // For people: the common names, with the start of the key identifiers where the certificate has
  // them, because authorities of different federations often share a name: "Simple Signing CA" (key
  // 1a2b3c4d).
  std::string Describe() const;
  std::string DescribeIssuer() const;

  // True if a peer that was asked for under `name` may present this certificate: `name` is one of
  // the alternative names (as DNS name with wildcards, as address, or as the same text, which is
  // what OpenFL writes for an address).
  bool IsFor(const std::string& name) const;
  bool Matches(const PrivateKey& key) const;
  bool HasEcdsaKey() const;
  // The signature is of `issuer`'s key.
  bool IsSignedBy(const Certificate& issuer) const;
  X509* get() const { return x509_.get(); }

 private:
  X509Ptr x509_;
};

// The names a certificate is for, as text for people: "a.example, 10.0.0.1".
std::string DescribeNames(const Certificate& certificate);

}  // namespace fx
