// A site's HTTP proxy: where it is, what it is to be told, and who is reached without it. Only
// words here; pki/tunnel.h and gRPC make the connections.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace fx {

// A proxy that opens connections to others for those who ask it with CONNECT (RFC 9110, section
// 9.3.6). The connection to the proxy itself is plain; what goes through it is TLS from end to end.
struct Proxy {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 0;
  std::string user{};      // empty: it asks for none
  std::string password{};  // never shown
  std::string origin{};    // who said so: "site.yaml", "the environment variable https_proxy"

  std::string Place() const;  // "proxy.example.org:3128", IPv6 in brackets
};

// "http://proxy.example.org:3128", "http://user:password@...", where characters of user and
// password may be escaped as in any URL (%40 for @), or without "http://". Refuses what fx cannot
// speak, an https:// proxy among it. The error never shows the password.
Result<Proxy> ParseProxy(std::string_view url);

// Whether a list as in the environment variable no_proxy ("localhost,.example.org,10.1.2.3") names
// the host: each entry stands for itself and for what ends in "." and it; "*" for everything. Case
// does not matter.
bool GoesWithoutProxy(std::string_view no_proxy, std::string_view host);

// "Basic dXNlcjpwYXNzd29yZA==" (RFC 7617), for the header Proxy-Authorization.
std::string BasicAuthorization(const Proxy& proxy);

}  // namespace fx
