#include "core/base/proxy.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "core/base/format.h"
#include "core/base/host_port.h"

namespace fx {
namespace {

constexpr std::string_view kForm = "expected http://HOST:PORT";

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) { return Lower(c); });
  return lower;
}

std::optional<char> ByteOf(std::string_view two_digits) {
  unsigned char byte = 0;
  const char* const end = two_digits.data() + two_digits.size();
  const auto read = std::from_chars(two_digits.data(), end, byte, 16);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return static_cast<char>(byte);
}

// %40 is @; a stray % stands for itself.
std::string Unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size();
    const auto byte = escaped ? ByteOf(text.substr(i + 1, 2)) : std::nullopt;
    plain += byte.value_or(text[i]);
    if (byte) i += 2;
  }
  return plain;
}

void ReadUser(std::string_view text, Proxy& proxy) {
  const std::size_t colon = text.find(':');
  proxy.user = Unescape(text.substr(0, colon));
  if (colon != std::string_view::npos) proxy.password = Unescape(text.substr(colon + 1));
}

std::string Base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const auto byte = i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U;
      three = three << 8 | byte;
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : kDigits[three >> (18 - 6 * k) & 63];
    }
  }
  return text;
}

// What stands before "://" may be half a password: only what looks like a scheme is shown.
std::string SchemeWords(std::string_view scheme) {
  const std::string_view name = scheme.substr(0, scheme.size() - 3);
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return std::ranges::all_of(name, plain)
             ? format("is one for {}", scheme)
             : std::string("has something before :// that is no protocol");
}

}  // namespace

std::string Proxy::Place() const {
  return HostAndPort(host, port);
}

Result<Proxy> ParseProxy(std::string_view url) {
  const std::size_t at = url.rfind('@');
  const std::size_t scheme_end = url.find("://");
  const std::size_t begin = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  const bool has_user = at != std::string_view::npos && at >= begin;
  std::string_view rest = url.substr(has_user ? at + 1 : begin);
  if (const std::string scheme = Lower(url.substr(0, begin)); begin != 0 && scheme != "http://") {
    return Fail(ErrorCode::kInvalidArgument,
                format("the proxy {}; fx speaks to a proxy by plain HTTP, {} (what goes through it "
                       "is encrypted all the same)",
                       SchemeWords(scheme), kForm));
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  auto parsed = ParseHostPort(rest);
  if (!parsed && !has_user && rest.find(':') != std::string_view::npos) {
    return Fail(ErrorCode::kInvalidArgument, format("what is given as a proxy is none; {}", kForm));
  }
  HostPort place = TRY(In(std::move(parsed), "a proxy is written http://HOST:PORT"));
  Proxy proxy{.host = std::move(place.host), .port = place.port};
  if (has_user) ReadUser(url.substr(begin, at - begin), proxy);
  return proxy;
}

bool GoesWithoutProxy(std::string_view no_proxy, std::string_view host) {
  const std::string name = Lower(host);
  while (!no_proxy.empty()) {
    const std::size_t end = std::min(no_proxy.find_first_of(", \t"), no_proxy.size());
    std::string entry = Lower(no_proxy.substr(0, end));
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
    if (entry == "*") return true;
    if (entry.starts_with("*.")) entry.erase(0, 1);
    if (entry.starts_with('.')) entry.erase(0, 1);
    if (!entry.empty() && (name == entry || name.ends_with("." + entry))) return true;
  }
  return false;
}

std::string BasicAuthorization(const Proxy& proxy) {
  return "Basic " + Base64(proxy.user + ":" + proxy.password);
}

}  // namespace fx
