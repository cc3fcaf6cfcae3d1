#include "fx/certificates.h"

#include <iostream>

#include "core/base/format.h"
#include "core/base/log.h"
#include "pki/inventory.h"
#include "pki/key_pair.h"
#include "plan/names_check.h"

namespace fx {
namespace {

Result<PrivateKey> KeepOrGenerateKey(const Path& file, KeyKind kind, Io& io) {
  if (Exists(file)) {
    io.err << format("Keeping the private key {}; remove it first if you want a new one.\n",
                     file.string());
    return PrivateKey::Load(file);
  }
  PrivateKey key = TRY(PrivateKey::Generate(kind));
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

void ShowRequest(const SigningRequest& request, const Path& file, Io& io) {
  io.err << format("Certificate request: {}\n", file.string());
  io.err << "Its SHA-384, to be compared by the person who signs it:\n";
  io.out << request.Fingerprint() << "\n";
}

}  // namespace

Result<Identity> CollaboratorIdentity(const std::string& name) {
  Identity identity = TRY(Identity::Collaborator(name));
  const std::string problem = CollaboratorNameProblem(identity.name());
  if (problem.empty()) return identity;
  return Fail(ErrorCode::kInvalidArgument,
              format("the collaborator name \"{}\" {}", identity.name(), problem));
}

Result<SigningRequest> MakeRequest(const Identity& identity, Io& io, KeyKind kind) {
  const Path key_file = identity.File(kCertFolder, ".key");
  const Path request_file = identity.File(kCertFolder, ".csr");
  TRY(MakeFolders(kCertFolder));
  TRY(MakeFolders(key_file.parent_path(), 0700));
  const PrivateKey key = TRY(KeepOrGenerateKey(key_file, kind, io));
  SigningRequest request = TRY(KeepOrCreateRequest(request_file, key, identity));
  ShowRequest(request, request_file, io);
  return request;
}

Result<SigningRequest> MakeRenewal(const Identity& identity, bool same_key, Io& io) {
  const Path request_file = identity.File(kCertFolder, ".csr");
  const PrivateKey before = TRY(PrivateKey::Load(identity.File(kCertFolder, ".key")));
  const PrivateKey key =
      TRY(same_key ? PrivateKey::Load(identity.File(kCertFolder, ".key"))
                   : KeepOrGenerateKey(NextKeyFile(kCertFolder, identity), before.kind(), io));
  SigningRequest request = TRY(KeepOrCreateRequest(request_file, key, identity));
  ShowRequest(request, request_file, io);
  return request;
}

void DeclareRsa(Flags& flags, bool* rsa) {
  flags.Switch("--rsa", rsa,
               "Make the key RSA-3072, as OpenFL does, and not ECDSA P-384; for peers without "
               "TLS 1.3");
}

KeyKind KindOf(bool rsa) {
  return rsa ? KeyKind::kRsa3072 : kDefaultKeyKind;
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

std::vector<std::string> NamesThatCount(const Plan& plan) {
  std::vector<std::string> names = {plan.network.agg_addr};
  for (const CollaboratorName& name : plan.authorized) names.push_back(name.value);
  return names;
}

void LogCertificateWarnings(const Path& cert_folder, const std::vector<std::string>& names) {
  for (const std::string& warning : CertificateWarnings(cert_folder, names, UnixNow())) {
    LogWarning("certificates need attention", {{"what", warning}});
  }
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
