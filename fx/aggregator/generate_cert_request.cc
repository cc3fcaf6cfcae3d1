#include "fx/aggregator/generate_cert_request.h"

#include "fx/certificates.h"
#include "fx/host_name.h"
#include "fx/workspace/marker.h"

namespace fx {
namespace {

class AggregatorGenerateCertRequest : public Command {
 public:
  std::string_view noun() const override { return "aggregator"; }
  std::string_view verb() const override { return "generate-cert-request"; }
  std::string_view summary() const override {
    return "Make the aggregator's private key and certificate request";
  }
  std::string_view example() const override {
    return "fx aggregator generate-cert-request --fqdn agg.hospital.example";
  }

  void Declare(Flags& flags) override {
    flags.Text(
        "--fqdn", &fqdn_,
        "Name or address under which collaborators reach the aggregator; else this machine's");
    DeclareRsa(flags, &rsa_);
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    const Identity identity = TRY(Identity::Aggregator(NameOrDefault(fqdn_)));
    TRY(In(MakeRequest(identity, io, KindOf(rsa_)),
           "cannot make the aggregator's certificate request"));
    io.err << "Next: fx aggregator certify --fqdn " << identity.name() << "\n";
    return Ok();
  }

 private:
  std::string fqdn_;
  bool rsa_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAggregatorGenerateCertRequest() {
  return std::make_unique<AggregatorGenerateCertRequest>();
}

}  // namespace fx
