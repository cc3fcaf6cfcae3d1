// A TCP connection through an HTTP proxy (CONNECT; RFC 9110, section 9.3.6), and in words why there
// is none: gRPC, which makes the connections that carry the federation, would only say that the
// aggregator is unavailable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/proxy.h"
#include "pki/tcp_connection.h"

namespace fx {

// A connection to `host`, whose name the proxy resolves. The error begins with the proxy's place
// and says who asked for it:
//   kUnauthenticated  the proxy wants to know who asks, and does not take what it was told (407):
//                     asking again would only lock the account
//   kUnavailable      everything else: the proxy is not there, does not answer or speaks no HTTP,
//   it
//                     does not let this connection through, or cannot reach `host`
Result<TcpConnection> OpenTunnel(const Proxy& proxy, const std::string& host, std::uint16_t port,
                                 Deadline deadline);

// What the head of a proxy's answer, up to the empty line, means; OK if the tunnel is open.
Status JudgeProxyAnswer(std::string_view head, const Proxy& proxy, const std::string& target);

}  // namespace fx
