#include "tests/support/test_pki.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace fx::test {
namespace {

void Require(const Status& status) {
  if (status) return;
  std::fputs(status.error().Render().c_str(), stderr);
  std::abort();
}

template <typename T>
T Require(Result<T> result) {
  if (!result) Require(Status(Fail(result.error())));
  return *std::move(result);
}

constexpr std::int64_t kDay = 24 * 3600;

Validity ValidityFor(TestValidity kind) {
  const std::int64_t now = UnixNow();
  switch (kind) {
    case TestValidity::kExpired:
      return {.from = now - 3 * kDay, .to = now - kDay};
    case TestValidity::kNotYet:
      return {.from = now + kDay, .to = now + 3 * kDay};
    case TestValidity::kToday:
      break;
  }
  return LeafValidity(now);
}

}  // namespace

TestPki::TestPki(KeyKind kind)
    : authority_(Require(CertificateAuthority::Create(folder_.path(), kind))) {}

void TestPki::AddAggregator(const std::string& fqdn, const LeafOptions& options) {
  Add(Require(Identity::Aggregator(fqdn)),
      Require(Identity::Aggregator(options.other_name.empty() ? fqdn : options.other_name)),
      options);
}

void TestPki::AddCollaborator(const std::string& name, const LeafOptions& options) {
  Add(Require(Identity::Collaborator(name)),
      Require(Identity::Collaborator(options.other_name.empty() ? name : options.other_name)),
      options);
}

void TestPki::Add(const Identity& files, const Identity& subject, const LeafOptions& options) {
  const PrivateKey key = Require(PrivateKey::Generate(options.key));
  const SigningRequest request = Require(SigningRequest::Create(key, subject));
  const Certificate certificate =
      Require(authority_->Sign(request, "test", subject, ValidityFor(options.validity)));
  Require(MakeFolders(files.File(cert_folder(), "").parent_path(), 0700));
  Require(key.Save(files.File(cert_folder(), ".key")));
  Require(AtomicWrite(files.File(cert_folder(), ".csr"), request.pem()));
  Require(AtomicWrite(files.File(cert_folder(), ".crt"), certificate.ToPem()));
}

void TestPki::Trust(const TestPki& other) {
  Require(AtomicWrite(ChainFile(cert_folder()), other.authority().ChainPem()));
}

PemBundle TestPki::AggregatorBundle(const std::string& fqdn) const {
  return Bundle(Require(Identity::Aggregator(fqdn)));
}

PemBundle TestPki::CollaboratorBundle(const std::string& name) const {
  return Bundle(Require(Identity::Collaborator(name)));
}

PemBundle TestPki::Bundle(const Identity& identity) const {
  PemBundle bundle;
  bundle.certificate = Require(ReadFile(identity.File(cert_folder(), ".crt")));
  bundle.private_key = Require(ReadFile(identity.File(cert_folder(), ".key")));
  bundle.authorities = Require(ReadFile(ChainFile(cert_folder())));
  bundle.ecdsa = Require(PrivateKey::FromPem(bundle.private_key, "test")).is_ecdsa();
  return bundle;
}

}  // namespace fx::test
