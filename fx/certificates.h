// What the certificate verbs of aggregator and collaborator have in common.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "fx/command.h"
#include "fx/io.h"
#include "pki/certificate.h"
#include "pki/certificate_authority.h"
#include "pki/identity.h"
#include "pki/signing_request.h"
#include "plan/plan.h"

namespace fx {

// The certificate folder of the workspace that is the current directory.
inline constexpr const char* kCertFolder = "cert";

// A name a collaborator may have, for its certificate and in cols.yaml.
Result<Identity> CollaboratorIdentity(const std::string& name);

// Makes the private key and the certificate request of `identity` under cert/, says where they are,
// and prints the request's SHA-384. A key that is there is kept, or a certificate made for it would
// become useless; so is a request made with that key.
Result<SigningRequest> MakeRequest(const Identity& identity, Io& io,
                                   KeyKind kind = kDefaultKeyKind);

// The same for a certificate that is to follow another: with the key in use or, unless `same_key`,
// with a new one of the same kind that waits beside it (pki/key_pair.h) for its certificate.
Result<SigningRequest> MakeRenewal(const Identity& identity, bool same_key, Io& io);

// --rsa, and the kind it stands for.
void DeclareRsa(Flags& flags, bool* rsa);
KeyKind KindOf(bool rsa);

// Shows whose request it is and its SHA-384, and asks whether to sign unless `silent`. Refuses to
// ask when nobody can answer.
Status ConfirmSigning(const SigningRequest& request, const Identity& identity, bool silent, Io& io);

// Whose certificates matter to an aggregator: its own, and everyone's, for they may be issued here.
std::vector<std::string> NamesThatCount(const Plan& plan);

// Logs a warning for each certificate of `names`, of the authorities, and for the revocation list,
// if it has expired or will within kWarnDays.
void LogCertificateWarnings(const Path& cert_folder, const std::vector<std::string>& names);

// Signs a request for a year and says so. The caller writes the certificate.
Result<Certificate> SignRequest(const CertificateAuthority& authority,
                                const SigningRequest& request, const std::string& place,
                                const Identity& identity, Io& io);

}  // namespace fx
