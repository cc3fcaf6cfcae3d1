#include "fx/pki/renew.h"

#include <optional>

#include "core/base/format.h"
#include "fx/certificates.h"
#include "fx/collaborator/cert_packages.h"
#include "fx/passphrase.h"
#include "fx/workspace/marker.h"
#include "pki/chain.h"
#include "pki/key_pair.h"

namespace fx {
namespace {

// Whose private keys are here, by their files; only `name` unless that is empty.
Result<std::vector<Identity>> HoldersHere(const std::string& name) {
  std::vector<Identity> found;
  const Path folder = kCertFolder;
  for (const char* const place : {"server", "client"}) {
    if (!Exists(folder / place)) continue;
    for (const Path& file : TRY(ListFolder(folder / place))) {
      const std::string stem = file.stem().string();
      if (file.extension() != ".key" || stem.size() < 5) continue;
      auto identity = stem.starts_with("agg_") ? Identity::Aggregator(stem.substr(4))
                                               : CollaboratorIdentity(stem.substr(4));
      if (!identity || identity->FileStem() != stem) continue;
      if (name.empty() || identity->name() == name) found.push_back(*std::move(identity));
    }
  }
  return found;
}

class PkiRenew : public Command {
 public:
  std::string_view noun() const override { return "pki"; }
  std::string_view verb() const override { return "renew"; }
  std::string_view summary() const override {
    return "Get a fresh certificate under the same name, or a fresh revocation list";
  }
  std::string_view example() const override { return "fx pki renew hospital1"; }

  void Declare(Flags& flags) override {
    flags.Text("name", &name_, "Whose; without it, everyone's whose private key is here");
    flags.Switch("--same-key", &same_key_, "Keep the private key; otherwise a new one is made");
    flags.Text("-i,--import", &import_,
               "Put this certificate (.crt), which was signed elsewhere, in place with its key");
    flags.Switch("--crl", &list_, "Sign the revocation list anew, and nothing else");
    DeclarePassphrase(flags, &passphrase_file_);
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    if (list_) return In(RenewList(io), "cannot sign the revocation list anew");
    return In(RenewCertificates(io), "cannot renew");
  }

 private:
  Status RenewList(Io& io) const {
    const auto authority = TRY(OpenAuthority(io));
    const RevocationList list = TRY(authority.Revoke({}, {}, UnixNow()));
    io.err << format("Revocation list number {}, next due on {}: {}\n", list.number(),
                     UtcText(list.validity().to), RevocationFile(kCertFolder).string());
    return Ok();
  }

  Status RenewCertificates(Io& io) const {
    const std::string name = name_.empty() ? "" : TRY(Identity::Aggregator(name_)).name();
    const std::vector<Identity> holders = TRY(HoldersHere(name));
    if (holders.empty()) return NobodyHere();
    for (const Identity& identity : holders) TRY(FinishInstall(kCertFolder, identity));
    if (!import_.empty()) return Import(holders, io);
    std::optional<CertificateAuthority> authority;
    if (CertificateAuthority::ExistsIn(kCertFolder)) authority.emplace(TRY(OpenAuthority(io)));
    for (const Identity& identity : holders) {
      const SigningRequest request = TRY(MakeRenewal(identity, same_key_, io));
      TRY(authority ? Sign(*authority, identity, request, io) : SendAway(identity, request, io));
    }
    return Ok();
  }

  Status NobodyHere() const {
    const std::string whose = name_.empty() ? "no certificate" : format("\"{}\"", name_);
    return Fail(
        Error(ErrorCode::kNotFound, format("the private key of {} is not in this workspace", whose))
            .Hint("run it where the key is: a private key never leaves its machine"));
  }

  Result<CertificateAuthority> OpenAuthority(Io& io) const {
    return CertificateAuthority::Open(kCertFolder, PassphraseFrom(passphrase_file_, io));
  }

  // The key is here and so is the authority: nobody has to be asked.
  static Status Sign(const CertificateAuthority& authority, const Identity& identity,
                     const SigningRequest& request, Io& io) {
    const Certificate certificate = TRY(
        SignRequest(authority, request, identity.File(kCertFolder, ".csr").string(), identity, io));
    return Install(identity, certificate, io);
  }

  static Status SendAway(const Identity& identity, const SigningRequest& request, Io& io) {
    const std::string& name = identity.name();
    if (identity.role() == Role::kAggregator) {
      io.err << format(
          "Copy {} to the workspace of the authority, run there: fx aggregator certify --fqdn {}\n"
          "Copy back the certificate and run here: fx pki renew {} --import agg_{}.crt\n",
          identity.File(kCertFolder, ".csr").string(), name, name, name);
    } else {
      TRY(WriteRequestPackage(identity, request));
      io.err << format(
          "Send this to the aggregator: {}\nPut what comes back in place with: fx collaborator "
          "certify --import {}\n",
          RequestPackageFile(identity).string(), SignedPackageFile(identity).string());
    }
    io.err << "Until then the certificate in use stays in use.\n";
    return Ok();
  }

  Status Import(const std::vector<Identity>& holders, Io& io) const {
    if (holders.size() != 1) {
      return Fail(ErrorCode::kInvalidArgument,
                  "expected a name before --import: more than one private key is here");
    }
    const Certificate certificate = TRY(Certificate::Load(import_));
    const auto chain = TRY(LoadChain(ChainFile(kCertFolder)));
    TRY(VerifyCertificate(certificate, import_, holders[0].role(), chain,
                          ChainFile(kCertFolder).string()));
    return Install(holders[0], certificate, io);
  }

  static Status Install(const Identity& identity, const Certificate& certificate, Io& io) {
    TRY(InstallCertificate(kCertFolder, identity, certificate));
    io.err << format("In place, valid until {}: {}\n", UtcText(certificate.validity().to),
                     identity.File(kCertFolder, ".crt").string());
    return Ok();
  }

  std::string name_;
  bool same_key_ = false;
  std::string import_;
  bool list_ = false;
  std::string passphrase_file_;
};

}  // namespace

std::unique_ptr<Command> MakePkiRenew() {
  return std::make_unique<PkiRenew>();
}

}  // namespace fx
