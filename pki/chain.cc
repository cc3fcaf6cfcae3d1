#include "pki/chain.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestChainFile = 1 << 20;
constexpr std::size_t kLongestChain = 20;

// Reading past the last certificate of a file ends with this error; any other is damage.
bool AtCleanEnd() {
  const auto last = ERR_peek_last_error();
  return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

Certificate Shared(X509* x509) {
  X509_up_ref(x509);
  return Certificate(X509Ptr(x509));
}

bool IsRoot(const Certificate& certificate) {
  return (X509_get_extension_flags(certificate.get()) & EXFLAG_SI) != 0;
}

// The authority a stranger most likely wanted to name: the one that signs leaves.
std::string DescribeAuthorities(const std::vector<Certificate>& chain) {
  const auto signer = std::ranges::find_if(chain, [](const Certificate& c) { return !IsRoot(c); });
  return (signer == chain.end() ? chain.front() : *signer).Describe();
}

Error OutOfDate(const Certificate& certificate, const std::string& place, bool expired) {
  const Validity validity = certificate.validity();
  const std::string what = format("{}: the certificate of {}", place, certificate.Describe());
  if (expired) {
    Error error(ErrorCode::kUnauthenticated,
                format("{} expired on {}", what, UtcText(validity.to)));
    if (X509_check_ca(certificate.get()) == 0) return error;
    return std::move(error).Hint(
        "the authority itself has expired: the aggregator needs a new one (fx workspace certify), "
        "and every site a new certificate");
  }
  return Error(ErrorCode::kUnauthenticated,
               format("{} is not valid before {}", what, UtcText(validity.from)))
      .Hint("check this machine's clock");
}

}  // namespace

Result<std::vector<Certificate>> ChainFromPem(std::string_view pem, const std::string& place) {
  const BioPtr bio = ReadBio(pem);
  std::vector<Certificate> chain;
  ERR_clear_error();
  while (X509* x509 = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    chain.emplace_back(X509Ptr(x509));
    if (chain.size() > kLongestChain) {
      return Fail(ErrorCode::kInvalidArgument,
                  format("{}: more than {} certificates", place, kLongestChain));
    }
  }
  if (!AtCleanEnd()) {
    return Fail(OpenSslError(ErrorCode::kDataLoss, format("{}: certificate number {} is damaged",
                                                          place, chain.size() + 1)));
  }
  ERR_clear_error();
  if (chain.empty()) {
    return Fail(ErrorCode::kDataLoss, format("{}: holds no certificate in PEM", place));
  }
  return chain;
}

Result<std::vector<Certificate>> LoadChain(const Path& path) {
  return ChainFromPem(TRY(ReadFile(path, kLargestChainFile)), path.string());
}

Result<X509StorePtr> MakeTrustStore(const std::vector<Certificate>& chain) {
  X509StorePtr store(X509_STORE_new());
  FX_CHECK(store != nullptr);
  for (const Certificate& certificate : chain) {
    if (X509_STORE_add_cert(store.get(), certificate.get()) != 1) {
      return Fail(OpenSslError(ErrorCode::kInternal,
                               "cannot trust the certificate of " + certificate.Describe()));
    }
  }
  return store;
}

Error VerificationError(X509_STORE_CTX* context, const std::string& place,
                        const std::vector<Certificate>& chain, const std::string& chain_place) {
  const int x509_error = X509_STORE_CTX_get_error(context);
  const Certificate leaf = Shared(X509_STORE_CTX_get0_cert(context));
  X509* current = X509_STORE_CTX_get_current_cert(context);
  const Certificate stopped_at = current == nullptr ? leaf : Shared(current);
  switch (x509_error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return OutOfDate(stopped_at, place, x509_error == X509_V_ERR_CERT_HAS_EXPIRED);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return Error(ErrorCode::kUnauthenticated,
                   format("{}: the certificate of {} was signed by {}, but {} trusts {}", place,
                          leaf.Describe(), leaf.DescribeIssuer(), chain_place,
                          DescribeAuthorities(chain)))
          .Hint(
              "both sites need certificates of the same authority: the one of the aggregator's "
              "\"fx workspace certify\"");
    case X509_V_ERR_INVALID_PURPOSE:
      return Error(ErrorCode::kUnauthenticated,
                   format("{}: the certificate of {} was issued for another purpose (aggregator "
                          "and collaborator certificates cannot stand in for each other)",
                          place, stopped_at.Describe()));
    default:
      return Error(ErrorCode::kUnauthenticated,
                   format("{}: the certificate of {} is refused: {}", place, stopped_at.Describe(),
                          X509_verify_cert_error_string(x509_error)));
  }
}

Status VerifyCertificate(const Certificate& leaf, const std::string& place, Role role,
                         const std::vector<Certificate>& chain, const std::string& chain_place) {
  const X509StorePtr store = TRY(MakeTrustStore(chain));
  const X509StoreContextPtr context(X509_STORE_CTX_new());
  FX_CHECK(context != nullptr);
  FX_CHECK(X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), nullptr) == 1);
  X509_STORE_CTX_set_purpose(
      context.get(), role == Role::kAggregator ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
  if (X509_verify_cert(context.get()) == 1) return Ok();
  ERR_clear_error();
  return Fail(VerificationError(context.get(), place, chain, chain_place));
}

}  // namespace fx
