// Why a connection does not come about. gRPC says "unavailable" for a name that does not resolve, a
// firewall, an expired certificate and a foreign authority alike; this tries the same steps one by
// one and says in words which of them failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/proxy.h"
#include "pki/cert_store.h"

namespace fx {

// Resolves `host`, connects, through the proxy if there is one (pki/tunnel.h has what can go wrong
// with it), makes a TLS handshake for HTTP/2 with the credentials of this process,
// and waits for the server's first words: with TLS 1.3 a server refuses a client's certificate only
// after the client thinks that all is well. Nothing is sent beyond the handshake.
//
// Ok if the server speaks: then the trouble, if any, is above TLS. Otherwise
//   kUnavailable      name, TCP, or a server that does not answer or does not speak TLS: waiting
//   may
//                     help
//   kUnauthenticated  one of the two certificates is refused: somebody has to replace it
// The sentence begins with host:port. Blocks for about `timeout` at most; resolving may take
// longer.
Status ProbeTls(const std::string& host, std::uint16_t port, const PemBundle& credentials,
                std::chrono::milliseconds timeout = std::chrono::seconds(5),
                const std::optional<Proxy>& proxy = std::nullopt);

}  // namespace fx
