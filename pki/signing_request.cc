#include "pki/signing_request.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/base/digest.h"
#include "core/base/format.h"
#include "pki/certificate.h"
#include "pki/extensions.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestRequestFile = 64 << 10;

struct ExtensionStackFree {
  void operator()(STACK_OF(X509_EXTENSION) * stack) const {
    sk_X509_EXTENSION_pop_free(stack, X509_EXTENSION_free);
  }
};
using ExtensionStackPtr = std::unique_ptr<STACK_OF(X509_EXTENSION), ExtensionStackFree>;

Status AddExtensions(X509_REQ* request, const std::vector<Extension>& extensions) {
  const ExtensionStackPtr stack(sk_X509_EXTENSION_new_null());
  for (const Extension& extension : extensions) {
    X509ExtensionPtr made = TRY(MakeExtension(extension, nullptr));
    FX_CHECK(sk_X509_EXTENSION_push(stack.get(), made.release()) > 0);
  }
  FX_CHECK(X509_REQ_add_extensions(request, stack.get()) == 1);
  return Ok();
}

// The names a request asks for: common name and alternative names, as a certificate would list
// them.
std::vector<std::string> RequestedNames(X509_REQ* request) {
  X509Ptr x509(X509_new());
  FX_CHECK(x509 != nullptr);
  X509_set_subject_name(x509.get(), X509_REQ_get_subject_name(request));
  const ExtensionStackPtr stack(X509_REQ_get_extensions(request));
  const int count = stack == nullptr ? 0 : sk_X509_EXTENSION_num(stack.get());
  for (int i = 0; i < count; ++i) {
    X509_add_ext(x509.get(), sk_X509_EXTENSION_value(stack.get(), i), -1);
  }
  ERR_clear_error();
  const Certificate as_certificate(std::move(x509));
  std::vector<std::string> names = as_certificate.Names();
  names.insert(names.begin(), as_certificate.CommonName());
  return names;
}

}  // namespace

Result<SigningRequest> SigningRequest::Create(const PrivateKey& key, const Identity& identity) {
  X509ReqPtr request(X509_REQ_new());
  FX_CHECK(request != nullptr);
  const auto* name = reinterpret_cast<const unsigned char*>(identity.name().c_str());
  X509_NAME* subject = X509_REQ_get_subject_name(request.get());
  FX_CHECK(X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, name, -1, -1, 0) ==
           1);
  FX_CHECK(X509_REQ_set_pubkey(request.get(), key.get()) == 1);
  TRY(AddExtensions(request.get(), LeafExtensions(identity, key.get())));
  if (X509_REQ_sign(request.get(), key.get(), EVP_sha384()) == 0) {
    return Fail(OpenSslError(ErrorCode::kInternal, "cannot sign a certificate request"));
  }
  const BioPtr bio = WriteBio();
  FX_CHECK(PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1);
  return SigningRequest(std::move(request), BioText(bio.get()));
}

Result<SigningRequest> SigningRequest::FromPem(std::string pem, const std::string& place) {
  const BioPtr bio = ReadBio(pem);
  X509ReqPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
  if (request == nullptr) {
    return Fail(OpenSslError(ErrorCode::kInvalidArgument,
                             format("{}: not a certificate request in PEM", place)));
  }
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  TRY(CheckPublicKey(key, place));
  if (X509_REQ_verify(request.get(), key) != 1) {
    ERR_clear_error();
    return Fail(ErrorCode::kInvalidArgument,
                format("{}: the request's own signature is wrong: it was changed, or its sender "
                       "does not hold the private key",
                       place));
  }
  return SigningRequest(std::move(request), std::move(pem));
}

Result<SigningRequest> SigningRequest::Load(const Path& path) {
  return FromPem(TRY(ReadFile(path, kLargestRequestFile)), path.string());
}

Status SigningRequest::CheckIsFor(const Identity& identity, const std::string& place) const {
  for (const std::string& asked : RequestedNames(request_.get())) {
    if (asked == identity.name()) continue;
    return Fail(Error(ErrorCode::kPermissionDenied,
                      format("{}: asks for a certificate for \"{}\", expected \"{}\" and nothing "
                             "else",
                             place, Printable(asked), identity.name()))
                    .Hint("ask its sender whether this is the right file"));
  }
  return Ok();
}

bool SigningRequest::Matches(const PrivateKey& key) const {
  const bool same = X509_REQ_check_private_key(request_.get(), key.get()) == 1;
  ERR_clear_error();
  return same;
}

std::string SigningRequest::Fingerprint() const {
  return Sha384Hex(pem_);
}

}  // namespace fx
