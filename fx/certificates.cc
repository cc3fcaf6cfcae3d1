#include "fx/certificates.h"

#include <iostream>

#include "core/base/format.h"
#include "plan/names_check.h"

namespace fx {
namespace {

Result<PrivateKey> KeepOrGenerateKey(const Path& file, Io& io) {
  if (Exists(file)) {
    io.err << format("Keeping the private key {}; remove it first if you want a new one.\n",
                     file.string());
    return PrivateKey::Load(file);
  }
  PrivateKey key = TRY(PrivateKey::Generate());
  TRY(key.Save(file));
  io.err << format("Private key: {} (not protected by a passphrase: it stays on this machine)\n",
                   file.string());
  return key;
}

// The request that is there, if it would be made again just so.
Result<SigningRequest> KeepOrCreateRequest(const Path& file, const PrivateKey& key,
                                           const Identity& identity) {
  if (Exists(file)) {
    auto request = SigningRequest::Load(file);
    if (request && request->Matches(key) && request->CheckIsFor(identity, file.string())) {
      return request;
    }
  }
  SigningRequest request = TRY(SigningRequest::Create(key, identity));
  TRY(AtomicWrite(file, request.pem()));
  return request;
}

}  // namespace

Result<Identity> CollaboratorIdentity(const std::string& name) {
  Identity identity = TRY(Identity::Collaborator(name));
  const std::string problem = CollaboratorNameProblem(identity.name());
  if (problem.empty()) return identity;
  return Fail(ErrorCode::kInvalidArgument,
              format("the collaborator name \"{}\" {}", identity.name(), problem));
}

Result<SigningRequest> MakeRequest(const Identity& identity, Io& io) {
  const Path key_file = identity.File(kCertFolder, ".key");
  const Path request_file = identity.File(kCertFolder, ".csr");
  TRY(MakeFolders(kCertFolder));
  TRY(MakeFolders(key_file.parent_path(), 0700));
  const PrivateKey key = TRY(KeepOrGenerateKey(key_file, io));
  SigningRequest request = TRY(KeepOrCreateRequest(request_file, key, identity));
  io.err << format("Certificate request: {}\n", request_file.string());
  io.err << "Its SHA-384, to be compared by the person who signs it:\n";
  io.out << request.Fingerprint() << "\n";
  return request;
}

Status ConfirmSigning(const SigningRequest& request, const Identity& identity, bool silent,
                      Io& io) {
  io.err << format("The certificate request of {} {} has the SHA-384\n", Name(identity.role()),
                   identity.name());
  io.out << request.Fingerprint() << '\n' << std::flush;
  if (silent) return Ok();
  if (!io.in_is_tty) {
    return Fail(Error(ErrorCode::kFailedPrecondition,
                      "signing needs a yes from a person, and the input is not a terminal")
                    .Hint("compare the SHA-384 above with the one its sender sees, then run this "
                          "again with --silent"));
  }
  io.err << "Is that what its sender sees, and do you want to sign it? [y/N] " << std::flush;
  std::string answer;
  std::getline(io.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return Ok();
  return Fail(ErrorCode::kCancelled, "not signed");
}

Result<Certificate> SignRequest(const CertificateAuthority& authority,
                                const SigningRequest& request, const std::string& place,
                                const Identity& identity, Io& io) {
  Certificate certificate = TRY(authority.Sign(request, place, identity, LeafValidity(UnixNow())));
  io.err << format("Signed by {}, valid until {}.\n", certificate.DescribeIssuer(),
                   UtcText(certificate.validity().to));
  return certificate;
}

}  // namespace fx
