#include "pki/describe.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <span>

#include "core/base/digest.h"
#include "core/base/format.h"
#include "pki/chain.h"
#include "pki/expiry.h"
#include "pki/revocation_list.h"
#include "pki/signing_request.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestFile = 64 << 20;

// In the order of RFC 4514, on one line, with other than ASCII escaped.
std::string NameText(const X509_NAME* name) {
  const BioPtr bio = WriteBio();
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_ONELINE);
  return BioText(bio.get());
}

std::string KeyText(const EVP_PKEY* key) {
  if (key == nullptr) return "unreadable";
  std::array<char, 64> group{};
  const bool curve = EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1;
  ERR_clear_error();
  return curve ? format("ECDSA over {}", group.data())
               : format("{}, {} bits", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
}

std::string ExtensionText(X509_EXTENSION* extension) {
  const BioPtr bio = WriteBio();
  if (X509V3_EXT_print(bio.get(), extension, X509V3_EXT_PARSE_UNKNOWN, 0) != 1) return "unreadable";
  std::string text = BioText(bio.get());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return Printable(text) + (X509_EXTENSION_get_critical(extension) != 0 ? " (critical)" : "");
}

void AddExtension(const Certificate& certificate, int nid, const std::string& label, Facts& facts) {
  const int at = X509_get_ext_by_NID(certificate.get(), nid, -1);
  if (at >= 0) facts.emplace_back(label, ExtensionText(X509_get_ext(certificate.get(), at)));
}

std::string WithWarning(const Validity& validity) {
  const std::string warning = ExpiryWarning(validity, UnixNow());
  const std::string text = UtcText(validity.to);
  return warning.empty() ? text : format("{} ({})", text, warning);
}

std::string Sha256(const Certificate& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  FX_CHECK(X509_digest(certificate.get(), EVP_sha256(), digest.data(), &size) == 1);
  return Hex(std::as_bytes(std::span(digest.data(), size)));
}

Facts FactsOf(const Certificate& certificate) {
  X509* const x509 = certificate.get();
  Facts facts = {{"Certificate of", NameText(X509_get_subject_name(x509))},
                 {"Signed by", NameText(X509_get_issuer_name(x509))},
                 {"Serial", certificate.Serial()},
                 {"Valid from", UtcText(certificate.validity().from)},
                 {"Valid until", WithWarning(certificate.validity())},
                 {"Public key", KeyText(X509_get0_pubkey(x509))},
                 {"Signature", OBJ_nid2ln(X509_get_signature_nid(x509))}};
  AddExtension(certificate, NID_subject_alt_name, "Names", facts);
  AddExtension(certificate, NID_basic_constraints, "Constraints", facts);
  AddExtension(certificate, NID_key_usage, "Key usage", facts);
  AddExtension(certificate, NID_ext_key_usage, "Extended key usage", facts);
  AddExtension(certificate, NID_subject_key_identifier, "Key identifier", facts);
  AddExtension(certificate, NID_authority_key_identifier, "Issuer's key identifier", facts);
  facts.emplace_back("SHA-256", Sha256(certificate));
  return facts;
}

Facts FactsOf(const RevocationList& list) {
  Facts facts = {{"Revocation list of", NameText(X509_CRL_get_issuer(list.get()))},
                 {"Number", format("{}", list.number())},
                 {"Made on", UtcText(list.validity().from)},
                 {"Next due", WithWarning(list.validity())},
                 {"Signature", OBJ_nid2ln(X509_CRL_get_signature_nid(list.get()))},
                 {"Revoked", format("{}", list.size())}};
  for (const std::string& serial : list.Serials()) facts.emplace_back("Serial", serial);
  return facts;
}

Facts FactsOf(const SigningRequest& request) {
  const EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  return {{"Request of", NameText(X509_REQ_get_subject_name(request.get()))},
          {"Public key", KeyText(key)},
          {"SHA-384", request.Fingerprint()}};
}

bool Holds(const std::string& text, const std::string& kind) {
  return text.find("-----BEGIN " + kind + "-----") != std::string::npos;
}

}  // namespace

Result<std::vector<Facts>> DescribeFile(const Path& file) {
  const std::string text = TRY(ReadFile(file, kLargestFile));
  std::vector<Facts> all;
  if (Holds(text, "CERTIFICATE") || Holds(text, "TRUSTED CERTIFICATE")) {
    for (const Certificate& certificate : TRY(ChainFromPem(text, file.string()))) {
      all.push_back(FactsOf(certificate));
    }
    return all;
  }
  if (Holds(text, "X509 CRL")) {
    all.push_back(FactsOf(TRY(RevocationList::FromPemUnchecked(text, file.string()))));
    return all;
  }
  if (Holds(text, "CERTIFICATE REQUEST")) {
    all.push_back(FactsOf(TRY(SigningRequest::FromPem(text, file.string()))));
    return all;
  }
  if (text.find("PRIVATE KEY-----") != std::string::npos) {
    return Fail(Error(ErrorCode::kInvalidArgument,
                      format("{}: is a private key; nothing of it is shown", file.string()))
                    .Hint("fx pki verify says whether it belongs to its certificate"));
  }
  return Fail(ErrorCode::kInvalidArgument,
              format("{}: expected a certificate, a certificate request or a revocation list in "
                     "PEM",
                     file.string()));
}

}  // namespace fx
