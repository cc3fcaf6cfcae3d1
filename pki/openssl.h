// OpenSSL's objects as values that free themselves, and its error queue as our errors. Only pki/
// includes this.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace fx {

template <auto kFree>
struct OpenSslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpenSslFree<BIO_free_all>>;
using EvpKeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using EvpKeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpenSslFree<EVP_PKEY_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using X509ReqPtr = std::unique_ptr<X509_REQ, OpenSslFree<X509_REQ_free>>;
using X509NamePtr = std::unique_ptr<X509_NAME, OpenSslFree<X509_NAME_free>>;
using X509CrlPtr = std::unique_ptr<X509_CRL, OpenSslFree<X509_CRL_free>>;
using X509ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpenSslFree<X509_EXTENSION_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, OpenSslFree<X509_STORE_free>>;
using X509StoreContextPtr = std::unique_ptr<X509_STORE_CTX, OpenSslFree<X509_STORE_CTX_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;
using BigNumPtr = std::unique_ptr<BIGNUM, OpenSslFree<BN_free>>;
using Asn1TimePtr = std::unique_ptr<ASN1_TIME, OpenSslFree<ASN1_TIME_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;

// "message: what OpenSSL says", from the first entry of the thread's error queue, which is emptied.
Error OpenSslError(ErrorCode code, const std::string& message);

// A read-only BIO over `text`, which must outlive it.
BioPtr ReadBio(std::string_view text);
// A growing BIO; its text so far.
BioPtr WriteBio();
std::string BioText(BIO* bio);

// Times as seconds since 1970 and back; 0 if there is none, or one that is no time.
std::int64_t SecondsOf(const ASN1_TIME* time);
Asn1TimePtr TimeOf(std::int64_t seconds);

// Hexadecimal, upper case, an even number of digits: how openssl shows serial numbers.
std::string SerialText(const ASN1_INTEGER* serial);

// `text` with bytes that are not printable ASCII replaced by '?' and cut at 100: names in
// certificates come from strangers and end up on terminals.
std::string Printable(std::string_view text);

}  // namespace fx
