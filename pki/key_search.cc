#include "pki/key_search.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <string>

#include "pki/openssl.h"

namespace fx {
namespace {

constexpr std::size_t kLargestStore = 1 << 20;
constexpr std::array<std::string_view, 2> kHeaders{"PRIVATE KEY-----", "PRIVATE KEY BLOCK-----"};

using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, OpenSslFree<PKCS8_PRIV_KEY_INFO_free>>;
using X509SigPtr = std::unique_ptr<X509_SIG, OpenSslFree<X509_SIG_free>>;
using Pkcs12Ptr = std::unique_ptr<PKCS12, OpenSslFree<PKCS12_free>>;

// One of OpenSSL's readers of DER takes the bytes.
template <typename Owner, auto kRead>
bool Reads(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return Owner(kRead(nullptr, &at, static_cast<long>(der.size()))) != nullptr;
}

// What begins like a SEQUENCE that the file has to the end, its length told or not (X.690, clause
// 8.1.3). More may follow: an editor adds the end of a line.
bool MayBeDer(std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  long length = 0;
  int tag = 0;
  int kind = 0;
  const int flags = ASN1_get_object(&at, &length, &tag, &kind, static_cast<long>(bytes.size()));
  const bool untold = (flags & 1) != 0;
  return (flags & 0x80) == 0 && tag == V_ASN1_SEQUENCE && (length > 0 || untold);
}

// Of no locked key but of a digest's name as well: what locks a key has parameters.
bool IsLockedKey(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const X509SigPtr locked(d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (locked == nullptr) return false;
  const X509_ALGOR* lock = nullptr;
  X509_SIG_get0(locked.get(), &lock, nullptr);
  int parameters = V_ASN1_UNDEF;
  X509_ALGOR_get0(nullptr, &parameters, nullptr, lock);
  return parameters == V_ASN1_SEQUENCE;
}

bool IsKeyInDer(std::string_view der) {
  return Reads<Pkcs8Ptr, d2i_PKCS8_PRIV_KEY_INFO>(der) ||
         Reads<EvpKeyPtr, d2i_AutoPrivateKey>(der) || IsLockedKey(der);
}

std::string_view KindOfDer(std::string_view bytes) {
  if (!MayBeDer(bytes)) return "";
  const std::string_view kind = IsKeyInDer(bytes)                     ? "a private key in DER"
                                : Reads<Pkcs12Ptr, d2i_PKCS12>(bytes) ? "a PKCS#12 store of keys"
                                                                      : "";
  ERR_clear_error();
  return kind;
}

std::string Without(std::string_view bytes, std::string_view dropped) {
  std::string kept;
  kept.reserve(bytes.size());
  std::ranges::copy_if(bytes, std::back_inserter(kept),
                       [=](char c) { return dropped.find(c) == std::string_view::npos; });
  return kept;
}

// The part of a text's base64 that does not depend on what stands around the text, if the text
// begins `skip` bytes before a group of three.
std::string InBase64(std::string_view text, std::size_t skip) {
  const std::size_t groups = (text.size() - skip) / 3;
  std::string encoded(groups * 4 + 1, '\0');  // one for the end of OpenSSL's string
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                  reinterpret_cast<const unsigned char*>(text.data()) + skip,
                  static_cast<int>(groups * 3));
  encoded.pop_back();
  return encoded;
}

bool HasPemInBase64(std::string_view text) {
  const std::string lines_joined = Without(text, " \t\r\n");
  return std::ranges::any_of(kHeaders, [&](std::string_view header) {
    return std::ranges::any_of(std::array<std::size_t, 3>{0, 1, 2}, [&](std::size_t skip) {
      return lines_joined.find(InBase64(header, skip)) != std::string::npos;
    });
  });
}

std::string_view KindOfPem(std::string_view bytes) {
  constexpr std::string_view kZero("\0", 1);  // every second byte of such text in UTF-16
  const std::string text = Without(bytes, kZero);
  for (const std::string_view header : kHeaders) {
    if (text.find(header) != std::string::npos) return "a private key in PEM";
  }
  return HasPemInBase64(text) ? "a private key in base64" : "";
}

}  // namespace

std::string_view PrivateKeyIn(std::string_view bytes) {
  if (const std::string_view kind = KindOfPem(bytes); !kind.empty()) return kind;
  if (bytes.starts_with("PuTTY-User-Key-File-")) return "a private key of PuTTY";
  if (bytes.starts_with("\xFE\xED\xFE\xED") || bytes.starts_with("\xCE\xCE\xCE\xCE")) {
    return "a Java store of keys";
  }
  return bytes.size() <= kLargestStore ? KindOfDer(bytes) : "";
}

}  // namespace fx
