#include "fx/aggregator/certify.h"

#include "core/base/format.h"
#include "core/base/replace_file.h"
#include "fx/certificates.h"
#include "fx/host_name.h"
#include "fx/passphrase.h"
#include "fx/workspace/marker.h"
#include "pki/key_pair.h"

namespace fx {
namespace {

class AggregatorCertify : public Command {
 public:
  std::string_view noun() const override { return "aggregator"; }
  std::string_view verb() const override { return "certify"; }
  std::string_view summary() const override { return "Sign the aggregator's certificate request"; }
  std::string_view example() const override {
    return "fx aggregator certify --fqdn agg.hospital.example";
  }

  void Declare(Flags& flags) override {
    flags.Text("-n,--fqdn", &fqdn_,
               "Name or address the request was made for; else this machine's");
    flags.Switch("-s,--silent", &silent_, "Sign without asking");
    DeclarePassphrase(flags, &passphrase_file_);
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    const Identity identity = TRY(Identity::Aggregator(NameOrDefault(fqdn_)));
    return In(Certify(identity, io), "cannot certify aggregator " + identity.name());
  }

 private:
  // The key may be on another machine, or wait for this certificate beside the one in use.
  static Status PutInPlace(const Identity& identity, const Certificate& certificate) {
    if (Exists(identity.File(kCertFolder, ".key"))) {
      return InstallCertificate(kCertFolder, identity, certificate);
    }
    return ReplaceFile(identity.File(kCertFolder, ".crt"), certificate.ToPem());
  }

  Status Certify(const Identity& identity, Io& io) const {
    const Path request_file = identity.File(kCertFolder, ".csr");
    if (!Exists(request_file)) {
      return Fail(Error(ErrorCode::kNotFound,
                        format("{}: there is no certificate request", request_file.string()))
                      .Hint("run: fx aggregator generate-cert-request --fqdn " + identity.name()));
    }
    TRY(CertificateAuthority::RequireIn(kCertFolder));
    const SigningRequest request = TRY(SigningRequest::Load(request_file));
    TRY(request.CheckIsFor(identity, request_file.string()));
    TRY(ConfirmSigning(request, identity, silent_, io));
    // Locked only now: somebody may have to revoke while the question is open.
    const auto authority =
        TRY(CertificateAuthority::Open(kCertFolder, PassphraseFrom(passphrase_file_, io)));
    const Certificate certificate =
        TRY(SignRequest(authority, request, request_file.string(), identity, io));
    TRY(PutInPlace(identity, certificate));
    io.err << format("Certificate: {}\n", identity.File(kCertFolder, ".crt").string());
    return Ok();
  }

  std::string fqdn_;
  std::string passphrase_file_;
  bool silent_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorCertify() {
  return std::make_unique<AggregatorCertify>();
}

}  // namespace fx
