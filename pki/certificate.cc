#include "pki/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/base/digest.h"
#include "core/base/format.h"

namespace fx {
namespace {

constexpr std::uint64_t kLargestCertificateFile = 1 << 20;

std::string Utf8(const ASN1_STRING* text) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, text);
  if (size < 0) return "";
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

std::string CommonNameOf(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) return "";
  return Utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::string AddressText(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int size = ASN1_STRING_length(address);
  if (size != 4 && size != 16) return "";
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text.data(),
            static_cast<socklen_t>(text.size()));
  return text.data();
}

std::string DescribeName(const X509_NAME* name, const ASN1_OCTET_STRING* key_id) {
  const std::string common_name = CommonNameOf(name);
  std::string out = format("\"{}\"", Printable(common_name.empty() ? "unnamed" : common_name));
  if (key_id == nullptr) return out;
  const auto size = static_cast<std::size_t>(std::min(ASN1_STRING_length(key_id), 4));
  const auto* data = reinterpret_cast<const char*>(ASN1_STRING_get0_data(key_id));
  return out + format(" (key {})", Hex(AsBytes(std::string_view(data, size))));
}

}  // namespace

std::string UtcText(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm tm{};
  gmtime_r(&time, &tm);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &tm);
  return std::string(text.data(), size);
}

Certificate::Certificate(const Certificate& other) : x509_(other.x509_.get()) {
  X509_up_ref(x509_.get());
}

Result<Certificate> Certificate::FromPem(std::string_view pem, const std::string& place) {
  const BioPtr bio = ReadBio(pem);
  X509Ptr x509(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (x509 == nullptr) {
    return Fail(
        OpenSslError(ErrorCode::kInvalidArgument, format("{}: not a certificate in PEM", place)));
  }
  return Certificate(std::move(x509));
}

Result<Certificate> Certificate::Load(const Path& path) {
  return FromPem(TRY(ReadFile(path, kLargestCertificateFile)), path.string());
}

std::string Certificate::ToPem() const {
  const BioPtr bio = WriteBio();
  FX_CHECK(PEM_write_bio_X509(bio.get(), x509_.get()) == 1);
  return BioText(bio.get());
}

Validity Certificate::validity() const {
  return {.from = SecondsOf(X509_get0_notBefore(x509_.get())),
          .to = SecondsOf(X509_get0_notAfter(x509_.get()))};
}

std::string Certificate::Serial() const {
  return SerialText(X509_get0_serialNumber(x509_.get()));
}

std::string Certificate::CommonName() const {
  return CommonNameOf(X509_get_subject_name(x509_.get()));
}

std::vector<std::string> Certificate::Names() const {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(x509_.get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> out;
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.push_back(Utf8(name->d.dNSName));
    if (name->type == GEN_IPADD) out.push_back(AddressText(name->d.iPAddress));
  }
  return out;
}

std::string Certificate::Describe() const {
  return DescribeName(X509_get_subject_name(x509_.get()), X509_get0_subject_key_id(x509_.get()));
}

std::string Certificate::DescribeIssuer() const {
  return DescribeName(X509_get_issuer_name(x509_.get()), X509_get0_authority_key_id(x509_.get()));
}

bool Certificate::IsFor(const std::string& name) const {
  if (X509_check_host(x509_.get(), name.c_str(), name.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                      nullptr) == 1) {
    return true;
  }
  if (X509_check_ip_asc(x509_.get(), name.c_str(), 0) == 1) return true;
  ERR_clear_error();
  const std::vector<std::string> names = Names();
  return std::ranges::find(names, name) != names.end();
}

bool Certificate::Matches(const PrivateKey& key) const {
  const bool same = X509_check_private_key(x509_.get(), key.get()) == 1;
  ERR_clear_error();
  return same;
}

bool Certificate::HasEcdsaKey() const {
  const EVP_PKEY* key = X509_get0_pubkey(x509_.get());
  return key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
}

bool Certificate::IsSignedBy(const Certificate& issuer) const {
  const bool signed_by = X509_verify(x509_.get(), X509_get0_pubkey(issuer.get())) == 1;
  ERR_clear_error();
  return signed_by;
}

std::string DescribeNames(const Certificate& certificate) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> names = certificate.Names();
  if (names.empty()) names.push_back(certificate.CommonName());
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i) {
    if (i > 0) text += ", ";
    text += Printable(names[i]);
  }
  return names.size() > kMost ? text + ", ..." : text;
}

}  // namespace fx
