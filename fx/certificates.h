// What the certificate verbs of aggregator and collaborator have in common.
#pragma once

#include <string>

#include "core/base/error.h"
#include "fx/io.h"
#include "pki/certificate.h"
#include "pki/certificate_authority.h"
#include "pki/identity.h"
#include "pki/signing_request.h"

namespace fx {

// The certificate folder of the workspace that is the current directory.
inline constexpr const char* kCertFolder = "cert";

// A name a collaborator may have, for its certificate and in cols.yaml.
Result<Identity> CollaboratorIdentity(const std::string& name);

// Makes the private key and the certificate request of `identity` under cert/, says where they are,
// and prints the request's SHA-384. A key that is there is kept, or a certificate made for it would
// become useless; so is a request made with that key.
Result<SigningRequest> MakeRequest(const Identity& identity, Io& io);

// Shows whose request it is and its SHA-384, and asks whether to sign unless `silent`. Refuses to
// ask when nobody can answer.
Status ConfirmSigning(const SigningRequest& request, const Identity& identity, bool silent, Io& io);

// Signs a request for a year and says so. The caller writes the certificate.
Result<Certificate> SignRequest(const CertificateAuthority& authority,
                                const SigningRequest& request, const std::string& place,
                                const Identity& identity, Io& io);

}  // namespace fx
