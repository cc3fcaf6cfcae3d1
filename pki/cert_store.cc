#include "pki/cert_store.h"

#include <algorithm>
#include <vector>

#include "core/base/format.h"
#include "pki/chain.h"
#include "pki/identity.h"
#include "pki/private_key.h"
#include "pki/secret_text.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestPem = 1 << 20;

// What to type to get the certificate a process lacks, or a fresh one.
struct Advice {
  std::string chain;
  std::string key;
  std::string certificate;
};

Advice AdviceFor(const Identity& identity) {
  const std::string& name = identity.name();
  if (identity.role() == Role::kAggregator) {
    return {.chain = "on the aggregator, run: fx workspace certify",
            .key = "run: fx aggregator generate-cert-request --fqdn " + name,
            .certificate = "run: fx aggregator certify --fqdn " + name};
  }
  const std::string import =
      format("fx collaborator certify --import agg_to_col_{}_signed_cert.zip", name);
  return {
      .chain = "import what the aggregator sent back: " + import,
      .key = "run: fx collaborator generate-cert-request -n " + name,
      .certificate = format("send col_{}_to_agg_cert_request.zip to the aggregator (made by: fx "
                            "collaborator generate-cert-request -n {}), then run: {}",
                            name, name, import)};
}

template <typename T>
Result<T> HintIfMissing(Result<T> result, const std::string& hint) {
  if (result || result.error().code() != ErrorCode::kNotFound) return result;
  return Fail(std::move(result).error().Hint(hint));
}

// What to do about a certificate and a key that are not of each other.
std::string MismatchHint(const Path& cert_folder, const Identity& identity, const Advice& advice) {
  if (Exists(identity.File(cert_folder, ".crt.new"))) {
    return "a renewal was interrupted between the two; run: fx pki renew " + identity.name();
  }
  return "the key was replaced after the request was sent; ask again: " + advice.certificate;
}

Status CheckName(const Certificate& leaf, const std::string& place, const Identity& identity,
                 const Advice& advice) {
  const bool right = identity.role() == Role::kAggregator ? leaf.IsFor(identity.name())
                                                          : leaf.CommonName() == identity.name();
  if (right) return Ok();
  return Fail(
      Error(ErrorCode::kUnauthenticated, format("{}: the certificate is for {}, not for \"{}\"",
                                                place, DescribeNames(leaf), identity.name()))
          .Hint(format("{}; then {}", advice.key, advice.certificate)));
}

// The authorities a process believes, and those its own certificate may be of.
struct Trust {
  std::vector<Certificate> ours;
  std::string ours_place;
};

Result<Trust> LoadTrust(const Path& chain_file, const Path& ca_bundle, const Advice& advice,
                        PemBundle& bundle) {
  const bool own = !ca_bundle.empty();
  const Path& file = own ? ca_bundle : chain_file;
  const std::string hint = own ? "check ca_bundle in site.yaml" : advice.chain;
  bundle.authorities = TRY(HintIfMissing(ReadFile(file, kLargestPem), hint));
  if (own) bundle.authorities_place = file.string();
  Trust trust{.ours = {}, .ours_place = file.string()};
  trust.ours = TRY(ChainFromPem(bundle.authorities, file.string()));
  if (!own || !Exists(chain_file)) return trust;
  for (Certificate& more : TRY(LoadChain(chain_file))) trust.ours.push_back(std::move(more));
  trust.ours_place += " and " + chain_file.string();
  return trust;
}

Result<PemBundle> LoadCredentials(const Path& cert_folder, const Identity& identity,
                                  const Path& ca_bundle = {}) {
  const Advice advice = AdviceFor(identity);
  const Path key_file = identity.File(cert_folder, ".key");
  const Path leaf_file = identity.File(cert_folder, ".crt");

  PemBundle bundle;
  const Trust trust = TRY(LoadTrust(ChainFile(cert_folder), ca_bundle, advice, bundle));
  const PrivateKey key = TRY(HintIfMissing(PrivateKey::Load(key_file), advice.key));
  bundle.certificate = TRY(HintIfMissing(ReadFile(leaf_file, kLargestPem), advice.certificate));
  const Certificate leaf = TRY(Certificate::FromPem(bundle.certificate, leaf_file.string()));
  if (!leaf.Matches(key)) {
    return Fail(Error(ErrorCode::kUnauthenticated,
                      format("{} and {} do not belong together: the certificate was made for "
                             "another key",
                             leaf_file.string(), key_file.string()))
                    .Hint(MismatchHint(cert_folder, identity, advice)));
  }
  TRY(CheckName(leaf, leaf_file.string(), identity, advice));
  Status verified =
      VerifyCertificate(leaf, leaf_file.string(), identity.role(), trust.ours, trust.ours_place);
  if (!verified) return Fail(std::move(verified).error().Hint(advice.certificate));

  SecretText pem = TRY(key.ToPem());
  bundle.private_key = std::move(pem).Release();
  bundle.ecdsa = key.is_ecdsa();
  return bundle;
}

}  // namespace

PemBundle::~PemBundle() {
  Wipe(private_key);
}

Result<PemBundle> LoadAggregatorCredentials(const Path& cert_folder, const std::string& fqdn) {
  const Identity identity = TRY(Identity::Aggregator(fqdn));
  return In(LoadCredentials(cert_folder, identity),
            format("cannot use the certificate of aggregator {}", identity.name()));
}

Result<PemBundle> LoadCollaboratorCredentials(const Path& cert_folder, const CollaboratorName& name,
                                              const Path& ca_bundle) {
  const Identity identity = TRY(Identity::Collaborator(name.value));
  return In(LoadCredentials(cert_folder, identity, ca_bundle),
            format("cannot use the certificate of collaborator {}", identity.name()));
}

}  // namespace fx
