#include "fx/workspace/certify.h"

#include <optional>

#include "core/base/format.h"
#include "fx/certificates.h"
#include "fx/passphrase.h"
#include "fx/workspace/marker.h"

namespace fx {
namespace {

class WorkspaceCertify : public Command {
 public:
  std::string_view noun() const override { return "workspace"; }
  std::string_view verb() const override { return "certify"; }
  std::string_view summary() const override {
    return "Make the certificate authority of the federation";
  }
  std::string_view example() const override { return "fx workspace certify"; }

  void Declare(Flags& flags) override {
    DeclareRsa(flags, &rsa_);
    flags.Text("--passphrase-file", &passphrase_file_,
               "Lock the authority's keys with the passphrase in this file; signing will need it");
    flags.Switch("--passphrase", &ask_, "The same, with a passphrase typed at the terminal");
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    const bool kept = CertificateAuthority::ExistsIn(kCertFolder);
    const CertificateAuthority authority = TRY(In(
        kept ? CertificateAuthority::Open(kCertFolder, PassphraseFrom(passphrase_file_, io))
             : Create(io),
        kept ? "cannot use the authority that is here" : "cannot make the certificate authority"));
    if (kept) {
      io.err << "This workspace has an authority; it is kept, so that certificates it issued stay "
                "valid.\nTo start over, move cert/ca and cert/cert_chain.crt away first.\n";
    }
    io.err << format(
        "Root {} until {}\nSigning authority {} until {}\n"
        "Trusted by every site: {}\n"
        "Keep cert/ca/root-ca/private/root-ca.key safe; signing does not need it.\n",
        authority.root().Describe(), UtcText(authority.root().validity().to),
        authority.signing().Describe(), UtcText(authority.signing().validity().to),
        ChainFile(kCertFolder).string());
    return Ok();
  }

 private:
  Result<CertificateAuthority> Create(Io& io) const {
    const std::optional<SecretText> passphrase = TRY(NewPassphrase(passphrase_file_, ask_, io));
    return CertificateAuthority::Create(kCertFolder, KindOf(rsa_),
                                        passphrase ? &*passphrase : nullptr);
  }

  bool rsa_ = false;
  std::string passphrase_file_;
  bool ask_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeWorkspaceCertify() {
  return std::make_unique<WorkspaceCertify>();
}

}  // namespace fx
