#include "fx/collaborator/generate_cert_request.h"

#include "core/base/format.h"
#include "fx/certificates.h"
#include "fx/collaborator/cert_packages.h"
#include "fx/workspace/marker.h"

namespace fx {
namespace {

class CollaboratorGenerateCertRequest : public Command {
 public:
  std::string_view noun() const override { return "collaborator"; }
  std::string_view verb() const override { return "generate-cert-request"; }
  std::string_view summary() const override {
    return "Make a collaborator's private key and certificate request";
  }
  std::string_view example() const override {
    return "fx collaborator generate-cert-request -n hospital1";
  }

  void Declare(Flags& flags) override {
    flags.RequiredText("-n,--collaborator_name", &name_, "Name of the collaborator");
    flags.Switch("-s,--silent", &silent_, "Never ask (this command has nothing to ask)");
    flags.Switch("-x,--skip-package", &skip_package_, "Do not make the archive for the aggregator");
    DeclareRsa(flags, &rsa_);
  }

  Status Run(Io& io) override {
    TRY(RequireWorkspace("."));
    const Identity identity = TRY(CollaboratorIdentity(name_));
    return In(Generate(identity, io),
              format("cannot make the certificate request of collaborator {}", identity.name()));
  }

 private:
  Status Generate(const Identity& identity, Io& io) const {
    const SigningRequest request = TRY(MakeRequest(identity, io, KindOf(rsa_)));
    if (skip_package_) return Ok();
    TRY(WriteRequestPackage(identity, request));
    io.err << format("Send this to the aggregator: {}\n", RequestPackageFile(identity).string());
    return Ok();
  }

  std::string name_;
  bool silent_ = false;
  bool skip_package_ = false;
  bool rsa_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeCollaboratorGenerateCertRequest() {
  return std::make_unique<CollaboratorGenerateCertRequest>();
}

}  // namespace fx
