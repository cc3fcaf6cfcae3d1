// The authorities a site trusts (cert_chain.crt), and whether a certificate would be believed by
// someone who trusts them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/certificate.h"
#include "pki/identity.h"
#include "pki/openssl.h"

namespace fx {

// All certificates of a PEM text: at least one, at most 20. A damaged one is refused by its number.
Result<std::vector<Certificate>> ChainFromPem(std::string_view pem, const std::string& place);
Result<std::vector<Certificate>> LoadChain(const Path& path);

// A store that trusts exactly `chain`.
Result<X509StorePtr> MakeTrustStore(const std::vector<Certificate>& chain);

// What the verification that just failed in `context` found, in words. `place` names where the leaf
// came from, `chain_place` where the authorities did.
Error VerificationError(X509_STORE_CTX* context, const std::string& place,
                        const std::vector<Certificate>& chain, const std::string& chain_place);

// A certificate that passes a handshake today: within its dates, signed (through any of `chain`) by
// a root in `chain`, and fit for the role. A certificate without extended key usage, which is what
// OpenFL issues, is fit for both roles.
Status VerifyCertificate(const Certificate& leaf, const std::string& place, Role role,
                         const std::vector<Certificate>& chain, const std::string& chain_place);

}  // namespace fx
