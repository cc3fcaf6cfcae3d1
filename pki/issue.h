// Puts a certificate together and signs it: the one place where certificates come from.
#pragma once

#include <vector>

#include "core/base/error.h"
#include "pki/certificate.h"
#include "pki/extensions.h"
#include "pki/private_key.h"

namespace fx {

struct CertificateFields {
  const X509_NAME* subject;
  EVP_PKEY* public_key;
  const Certificate* issuer;  // null: signs itself
  const PrivateKey& issuer_key;
  Validity validity;
  std::vector<Extension> extensions;  // key identifiers of subject and issuer are added
};

// With a random serial number of 159 bits (RFC 5280, section 4.1.2.2: at most 20 octets, positive),
// signed with SHA-384.
Result<Certificate> Issue(const CertificateFields& fields);

}  // namespace fx
