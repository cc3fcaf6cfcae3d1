// A host and a port as people write them: "aggregator.example.org:8443", "[::1]:8443".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace fx {

struct HostPort {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 0;
};

// Refuses what has no port from 1 to 65535, and no host, saying which of the two.
Result<HostPort> ParseHostPort(std::string_view text);

// The other way: IPv6 in brackets.
std::string HostAndPort(std::string_view host, std::uint16_t port);

}  // namespace fx
