#include "pki/revocation_list.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "core/base/format.h"
#include "pki/extensions.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestFile = 64 << 20;

using RevokedPtr = std::unique_ptr<X509_REVOKED, OpenSslFree<X509_REVOKED_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, OpenSslFree<ASN1_INTEGER_free>>;

IntegerPtr SerialOf(const std::string& hex) {
  BIGNUM* parsed = nullptr;
  FX_CHECK(BN_hex2bn(&parsed, hex.c_str()) > 0);
  const BigNumPtr number(parsed);
  return IntegerPtr(BN_to_ASN1_INTEGER(number.get(), nullptr));
}

void AddRevoked(X509_CRL* crl, const IssuedEntry& entry) {
  RevokedPtr revoked(X509_REVOKED_new());
  const std::int64_t at = SecondsOf(entry.revoked.substr(0, entry.revoked.find(',')));
  FX_CHECK(X509_REVOKED_set_serialNumber(revoked.get(), SerialOf(entry.serial).get()) == 1);
  FX_CHECK(X509_REVOKED_set_revocationDate(revoked.get(), TimeOf(at).get()) == 1);
  FX_CHECK(X509_CRL_add0_revoked(crl, revoked.release()) == 1);
}

// OpenFL's authorities carry no subject key identifier, so there may be nothing to point to.
Status AddExtensions(X509_CRL* crl, const Certificate& issuer, std::int64_t number) {
  IntegerPtr value(ASN1_INTEGER_new());
  FX_CHECK(ASN1_INTEGER_set_int64(value.get(), number) == 1);
  FX_CHECK(X509_CRL_add1_ext_i2d(crl, NID_crl_number, value.get(), 0, X509V3_ADD_DEFAULT) == 1);
  if (X509_get0_subject_key_id(issuer.get()) == nullptr) return Ok();
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer.get(), nullptr, nullptr, crl, 0);
  const X509ExtensionPtr identifier =
      TRY(MakeExtension({NID_authority_key_identifier, "keyid:always"}, &context));
  FX_CHECK(X509_CRL_add_ext(crl, identifier.get(), -1) == 1);
  return Ok();
}

}  // namespace

Path RevocationFile(const Path& cert_folder) {
  return cert_folder / "ca" / "signing-ca.crl";
}

RevocationList::RevocationList(const RevocationList& other) : crl_(other.crl_.get()) {
  X509_CRL_up_ref(crl_.get());
}

RevocationList& RevocationList::operator=(const RevocationList& other) {
  if (this != &other) *this = RevocationList(other);
  return *this;
}

Result<RevocationList> RevocationList::Issue(const Certificate& issuer, const PrivateKey& key,
                                             std::int64_t number, Validity validity,
                                             const std::vector<IssuedEntry>& entries) {
  X509CrlPtr crl(X509_CRL_new());
  FX_CHECK(X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) == 1);
  FX_CHECK(X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.get())) == 1);
  FX_CHECK(X509_CRL_set1_lastUpdate(crl.get(), TimeOf(validity.from).get()) == 1);
  FX_CHECK(X509_CRL_set1_nextUpdate(crl.get(), TimeOf(validity.to).get()) == 1);
  for (const IssuedEntry& entry : entries) {
    if (entry.is_revoked()) AddRevoked(crl.get(), entry);
  }
  FX_CHECK(X509_CRL_sort(crl.get()) == 1);
  TRY(AddExtensions(crl.get(), issuer, number));
  if (X509_CRL_sign(crl.get(), key.get(), EVP_sha384()) == 0) {
    return Fail(OpenSslError(ErrorCode::kInternal, "cannot sign a revocation list"));
  }
  return FromPem(RevocationList(std::move(crl)).ToPem(), "the new revocation list", {issuer});
}

Result<RevocationList> RevocationList::FromPemUnchecked(std::string_view pem,
                                                        const std::string& place) {
  const BioPtr bio = ReadBio(pem);
  X509CrlPtr crl(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
  if (crl != nullptr) return RevocationList(std::move(crl));
  return Fail(
      OpenSslError(ErrorCode::kDataLoss, format("{}: not a revocation list in PEM", place))
          .Hint("sign it anew where the authority is (fx pki renew --crl), or copy it anew"));
}

Result<RevocationList> RevocationList::FromPem(std::string_view pem, const std::string& place,
                                               const std::vector<Certificate>& issuers) {
  RevocationList list = TRY(FromPemUnchecked(pem, place));
  if (std::ranges::any_of(issuers, [&](auto& issuer) { return list.IsSignedBy(issuer); })) {
    return list;
  }
  return Fail(
      Error(ErrorCode::kUnauthenticated,
            format("{}: this revocation list was not signed by this federation's authority", place))
          .Hint("copy cert/ca/signing-ca.crl anew from where fx pki revoke is run"));
}

Result<RevocationList> RevocationList::Load(const Path& path,
                                            const std::vector<Certificate>& issuers) {
  return FromPem(TRY(ReadFile(path, kLargestFile)), path.string(), issuers);
}

std::string RevocationList::ToPem() const {
  const BioPtr bio = WriteBio();
  FX_CHECK(PEM_write_bio_X509_CRL(bio.get(), crl_.get()) == 1);
  return BioText(bio.get());
}

std::int64_t RevocationList::number() const {
  const IntegerPtr value(static_cast<ASN1_INTEGER*>(
      X509_CRL_get_ext_d2i(crl_.get(), NID_crl_number, nullptr, nullptr)));
  std::int64_t number = 0;
  return value != nullptr && ASN1_INTEGER_get_int64(&number, value.get()) == 1 ? number : 0;
}

Validity RevocationList::validity() const {
  const std::int64_t from = SecondsOf(X509_CRL_get0_lastUpdate(crl_.get()));
  const ASN1_TIME* next = X509_CRL_get0_nextUpdate(crl_.get());
  return {.from = from, .to = next == nullptr ? from : SecondsOf(next)};
}

std::size_t RevocationList::size() const {
  const int count = sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl_.get()));
  return count > 0 ? static_cast<std::size_t>(count) : 0;
}

std::vector<std::string> RevocationList::Serials() const {
  STACK_OF(X509_REVOKED)* const all = X509_CRL_get_REVOKED(crl_.get());
  std::vector<std::string> serials;
  for (int i = 0; i < sk_X509_REVOKED_num(all); ++i) {
    serials.push_back(SerialText(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(all, i))));
  }
  return serials;
}

bool RevocationList::Lists(const Certificate& certificate) const {
  const X509_NAME* const issuer = X509_get_issuer_name(certificate.get());
  if (X509_NAME_cmp(issuer, X509_CRL_get_issuer(crl_.get())) != 0) return false;
  // Most lists are short, and X509_CRL_get0_by_serial sorts, which is not for several threads.
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate.get());
  STACK_OF(X509_REVOKED)* const all = X509_CRL_get_REVOKED(crl_.get());
  for (int i = 0; i < sk_X509_REVOKED_num(all); ++i) {
    const X509_REVOKED* const revoked = sk_X509_REVOKED_value(all, i);
    if (ASN1_INTEGER_cmp(serial, X509_REVOKED_get0_serialNumber(revoked)) == 0) return true;
  }
  return false;
}

bool RevocationList::IsSignedBy(const Certificate& issuer) const {
  const X509_NAME* const name = X509_get_subject_name(issuer.get());
  const bool right = X509_NAME_cmp(name, X509_CRL_get_issuer(crl_.get())) == 0 &&
                     X509_CRL_verify(crl_.get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return right;
}

std::vector<IssuedEntry> Unlisted(const std::vector<IssuedEntry>& entries,
                                  const std::optional<RevocationList>& list) {
  const std::vector<std::string> serials = list ? list->Serials() : std::vector<std::string>();
  const std::set<std::string> named(serials.begin(), serials.end());
  std::vector<IssuedEntry> unlisted;
  std::ranges::copy_if(entries, std::back_inserter(unlisted), [&](const IssuedEntry& entry) {
    return entry.is_revoked() && !named.contains(entry.serial);
  });
  return unlisted;
}

}  // namespace fx
