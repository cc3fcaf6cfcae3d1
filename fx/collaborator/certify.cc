#include "fx/collaborator/certify.h"

#include "core/base/format.h"
#include "core/base/replace_file.h"
#include "fx/certificates.h"
#include "fx/collaborator/cert_packages.h"
#include "fx/passphrase.h"
#include "fx/workspace/marker.h"
#include "pki/chain.h"
#include "pki/key_pair.h"
#include "plan/cols_file.h"

namespace fx {
namespace {

constexpr const char* kColsFile = "plan/cols.yaml";

// The request of a collaborator that shares this workspace.
Result<RequestPackage> ReadLocalRequest(const std::string& name) {
  Identity identity = TRY(CollaboratorIdentity(name));
  const Path file = identity.File(kCertFolder, ".csr");
  if (!Exists(file)) {
    return Fail(
        Error(ErrorCode::kNotFound, format("{}: there is no certificate request", file.string()))
            .Hint("sign the archive the collaborator sent: fx collaborator certify "
                  "--request-pkg " +
                  RequestPackageFile(identity).string()));
  }
  SigningRequest request = TRY(SigningRequest::Load(file));
  TRY(request.CheckIsFor(identity, file.string()));
  return RequestPackage{.identity = std::move(identity), .request = std::move(request)};
}

// The chain of the workspace that signs may not be replaced: its authority would be left behind.
Status RefuseForeignChain(const SignedPackage& package) {
  if (!CertificateAuthority::ExistsIn(kCertFolder)) return Ok();
  const std::string ours = TRY(ReadFile(ChainFile(kCertFolder)));
  if (ours == package.chain) return Ok();
  return Fail(Error(ErrorCode::kFailedPrecondition,
                    "this workspace has an authority of its own, and the certificate was signed by "
                    "another, " +
                        package.certificate.DescribeIssuer())
                  .Hint("import it in the collaborator's workspace"));
}

class CollaboratorCertify : public Command {
 public:
  std::string_view noun() const override { return "collaborator"; }
  std::string_view verb() const override { return "certify"; }
  std::string_view summary() const override {
    return "Sign a collaborator's certificate request, or import the signed certificate";
  }
  std::string_view example() const override {
    return "fx collaborator certify --request-pkg col_hospital1_to_agg_cert_request.zip";
  }

  void Declare(Flags& flags) override {
    flags.Text("-n,--collaborator_name", &name_,
               "Sign the request of this collaborator, which shares this workspace");
    flags.Switch("-s,--silent", &silent_, "Sign without asking");
    DeclarePassphrase(flags, &passphrase_file_);
    flags.Text("-r,--request-pkg", &request_package_,
               "Sign the request in this archive, which the collaborator sent");
    flags.Text("-i,--import", &import_,
               "Put the signed certificate from this archive, which the aggregator sent, in place");
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    if (!import_.empty()) {
      if (!name_.empty() || !request_package_.empty()) return BadOptions();
      return In(Import(io), "cannot import " + import_);
    }
    if (name_.empty() == request_package_.empty()) return BadOptions();
    return In(Sign(io), "cannot certify the collaborator");
  }

 private:
  static Status BadOptions() {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      "expected one of --request-pkg ZIP, --import ZIP and -n NAME")
                    .Hint("the aggregator signs with --request-pkg, the collaborator then uses "
                          "--import"));
  }

  Status Sign(Io& io) const {
    TRY(CertificateAuthority::RequireIn(kCertFolder));
    const RequestPackage package = request_package_.empty()
                                       ? TRY(ReadLocalRequest(name_))
                                       : TRY(ReadRequestPackage(request_package_));
    const Identity& identity = package.identity;
    TRY(ConfirmSigning(package.request, identity, silent_, io));
    // Locked only now: somebody may have to revoke while the question is open.
    const auto authority =
        TRY(CertificateAuthority::Open(kCertFolder, PassphraseFrom(passphrase_file_, io)));
    const std::string place = "the request of " + identity.name();
    const Certificate certificate =
        TRY(SignRequest(authority, package.request, place, identity, io));

    const bool added =
        TRY(AddCollaboratorToCols(kColsFile, CollaboratorName{.value = identity.name()}));
    const Path file = identity.File(kCertFolder, ".crt");
    TRY(MakeFolders(file.parent_path(), 0700));
    TRY(ReplaceFile(file, certificate.ToPem()));
    TRY(WriteSignedPackage(identity, certificate, authority.ChainPem()));
    io.err << format("{} {} {}\nSend this back to the collaborator: {}\n", identity.name(),
                     added ? "may take part now: added to" : "was already listed in", kColsFile,
                     SignedPackageFile(identity).string());
    return Ok();
  }

  Status Import(Io& io) const {
    const SignedPackage package = TRY(ReadSignedPackage(import_));
    TRY(KeyFor(kCertFolder, package.identity, package.certificate));
    TRY(RefuseForeignChain(package));
    const Path leaf_file = package.identity.File(kCertFolder, ".crt");
    TRY(InstallCertificate(kCertFolder, package.identity, package.certificate));
    TRY(ReplaceFile(ChainFile(kCertFolder), package.chain));
    io.err << format(
        "Certificate of {}, signed by {}, valid until {}: {}\nTrusted from now on: {}\n",
        package.identity.name(), package.certificate.DescribeIssuer(),
        UtcText(package.certificate.validity().to), leaf_file.string(),
        ChainFile(kCertFolder).string());
    return Ok();
  }

  std::string name_;
  std::string request_package_;
  std::string import_;
  std::string passphrase_file_;
  bool silent_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCollaboratorCertify() {
  return std::make_unique<CollaboratorCertify>();
}

}  // namespace fx
