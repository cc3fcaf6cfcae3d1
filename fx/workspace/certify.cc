#include "fx/workspace/certify.h"

#include "core/base/format.h"
#include "fx/certificates.h"
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

  void Declare(Flags&) override {}

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    const bool kept = CertificateAuthority::ExistsIn(kCertFolder);
    const CertificateAuthority authority = TRY(In(
        kept ? CertificateAuthority::Open(kCertFolder) : CertificateAuthority::Create(kCertFolder),
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
};

}  // namespace

std::unique_ptr<Command> MakeWorkspaceCertify() {
  return std::make_unique<WorkspaceCertify>();
}

}  // namespace fx
