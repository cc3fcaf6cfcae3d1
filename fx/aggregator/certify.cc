#include "fx/aggregator/certify.h"

#include "core/base/format.h"
#include "fx/certificates.h"
#include "fx/host_name.h"
#include "fx/workspace/marker.h"

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
    flags.Text("-n,--fqdn", &fqdn_, "Name or address the request was made for");
    flags.Switch("-s,--silent", &silent_, "Sign without asking");
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    const Identity identity = TRY(Identity::Aggregator(fqdn_));
    return In(Certify(identity, io), "cannot certify aggregator " + identity.name());
  }

 private:
  Status Certify(const Identity& identity, Io& io) const {
    const Path request_file = identity.File(kCertFolder, ".csr");
    if (!Exists(request_file)) {
      return Fail(Error(ErrorCode::kNotFound,
                        format("{}: there is no certificate request", request_file.string()))
                      .Hint("run: fx aggregator generate-cert-request --fqdn " + identity.name()));
    }
    const auto authority = TRY(CertificateAuthority::Open(kCertFolder));
    const SigningRequest request = TRY(SigningRequest::Load(request_file));
    TRY(request.CheckIsFor(identity, request_file.string()));
    TRY(ConfirmSigning(request, identity, silent_, io));
    const Certificate certificate =
        TRY(SignRequest(authority, request, request_file.string(), identity, io));
    const Path file = identity.File(kCertFolder, ".crt");
    TRY(AtomicWrite(file, certificate.ToPem()));
    io.err << format("Certificate: {}\n", file.string());
    return Ok();
  }

  std::string fqdn_ = DefaultFqdn();
  bool silent_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorCertify() {
  return std::make_unique<AggregatorCertify>();
}

}  // namespace fx
