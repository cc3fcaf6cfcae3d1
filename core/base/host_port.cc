#include "core/base/host_port.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/base/format.h"

namespace fx {
namespace {

tl::unexpected<Error> Refuse(std::string_view text, std::string_view why) {
  return Fail(ErrorCode::kInvalidArgument, format("\"{}\" {}, expected HOST:PORT", text, why));
}

bool CannotBeInAHost(char c) {
  return c <= ' ' || c == 0x7F || std::string_view("/@[]?#").find(c) != std::string_view::npos;
}

}  // namespace

Result<HostPort> ParseHostPort(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  if (!has_port) return Refuse(text, "has no port");
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  HostPort result{.host = std::string(host), .port = 0};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data() + colon + 1, end, result.port);
  if (read.ec != std::errc() || read.ptr != end || result.port == 0) {
    return Refuse(text, "has no port from 1 to 65535");
  }
  if (host.empty() || std::ranges::any_of(host, CannotBeInAHost)) {
    return Refuse(text, "names no host");
  }
  return result;
}

std::string HostAndPort(std::string_view host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  return is_ipv6 ? format("[{}]:{}", host, port) : format("{}:{}", host, port);
}

}  // namespace fx
