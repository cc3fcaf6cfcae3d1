#include "pki/openssl.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace fx {

Error OpenSslError(ErrorCode code, const std::string& message) {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  if (first == 0) return Error(code, message);
  const char* reason = ERR_reason_error_string(first);
  if (reason != nullptr) return Error(code, message + ": " + reason);
  std::array<char, 256> text{};
  ERR_error_string_n(first, text.data(), text.size());
  return Error(code, message + ": " + text.data());
}

BioPtr ReadBio(std::string_view text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  FX_CHECK(bio != nullptr);
  return bio;
}

BioPtr WriteBio() {
  BioPtr bio(BIO_new(BIO_s_secmem()));
  FX_CHECK(bio != nullptr);
  return bio;
}

std::string BioText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

std::int64_t SecondsOf(const ASN1_TIME* time) {
  std::tm tm{};
  return time != nullptr && ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

Asn1TimePtr TimeOf(std::int64_t seconds) {
  Asn1TimePtr time(ASN1_TIME_set(nullptr, seconds));
  FX_CHECK(time != nullptr);
  return time;
}

std::string SerialText(const ASN1_INTEGER* serial) {
  const BigNumPtr number(ASN1_INTEGER_to_BN(serial, nullptr));
  char* hex = BN_bn2hex(number.get());
  std::string out = hex;
  OPENSSL_free(hex);
  return out;
}

std::string Printable(std::string_view text) {
  constexpr std::size_t kLongest = 100;
  std::string out(text.substr(0, kLongest));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > kLongest) out += "...";
  return out;
}

}  // namespace fx
