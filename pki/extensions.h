// The X.509 extensions (RFC 5280, section 4.2) of what we ask for and issue, as the values
// OpenSSL's configuration language takes (man x509v3_config).
#pragma once

#include <string>
#include <vector>

#include "pki/identity.h"
#include "pki/openssl.h"

namespace fx {

struct Extension {
  int nid;
  std::string value;
};

// Basic constraints, key usage, extended key usage and alternative names of a leaf. RSA keys may
// also encipher keys, for TLS 1.2. An address is an alternative name twice: as an address, as it
// should be, and as text, which is what OpenFL's peers compare.
std::vector<Extension> LeafExtensions(const Identity& identity, const EVP_PKEY* key);

// An authority below which `path_length` further authorities may stand.
std::vector<Extension> AuthorityExtensions(int path_length);

// `context` may be null for extensions that need neither subject nor issuer.
Result<X509ExtensionPtr> MakeExtension(const Extension& extension, X509V3_CTX* context);

}  // namespace fx
