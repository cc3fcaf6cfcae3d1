#include "pki/issue.h"

#include <openssl/bn.h>

namespace fx {
namespace {

constexpr int kSerialBits = 159;

Status SetSerial(X509* x509) {
  const BigNumPtr serial(BN_new());
  if (BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(x509)) == nullptr) {
    return Fail(OpenSslError(ErrorCode::kInternal, "cannot draw a serial number"));
  }
  return Ok();
}

Status AddExtensions(X509* x509, X509* issuer, const std::vector<Extension>& extensions) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  for (const Extension& extension : extensions) {
    const X509ExtensionPtr made = TRY(MakeExtension(extension, &context));
    FX_CHECK(X509_add_ext(x509, made.get(), -1) == 1);
  }
  return Ok();
}

// OpenFL's authorities carry no subject key identifier, so there may be nothing to point to.
bool HasKeyIdentifier(const Certificate* issuer) {
  return issuer == nullptr || X509_get0_subject_key_id(issuer->get()) != nullptr;
}

}  // namespace

Result<Certificate> Issue(const CertificateFields& fields) {
  X509Ptr x509(X509_new());
  FX_CHECK(x509 != nullptr);
  X509* issuer = fields.issuer == nullptr ? x509.get() : fields.issuer->get();
  FX_CHECK(X509_set_version(x509.get(), X509_VERSION_3) == 1);
  FX_CHECK(X509_set_subject_name(x509.get(), fields.subject) == 1);
  FX_CHECK(X509_set_issuer_name(x509.get(), fields.issuer == nullptr
                                                ? fields.subject
                                                : X509_get_subject_name(issuer)) == 1);
  FX_CHECK(X509_set_pubkey(x509.get(), fields.public_key) == 1);
  FX_CHECK(ASN1_TIME_set(X509_getm_notBefore(x509.get()), fields.validity.from) != nullptr);
  FX_CHECK(ASN1_TIME_set(X509_getm_notAfter(x509.get()), fields.validity.to) != nullptr);
  TRY(SetSerial(x509.get()));

  std::vector<Extension> extensions = fields.extensions;
  extensions.push_back({NID_subject_key_identifier, "hash"});
  if (HasKeyIdentifier(fields.issuer)) {
    extensions.push_back({NID_authority_key_identifier, "keyid:always"});
  }
  TRY(AddExtensions(x509.get(), issuer, extensions));
  if (X509_sign(x509.get(), fields.issuer_key.get(), EVP_sha384()) == 0) {
    return Fail(OpenSslError(ErrorCode::kInternal, "cannot sign a certificate"));
  }
  return Certificate(std::move(x509));
}

}  // namespace fx
