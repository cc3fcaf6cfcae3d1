// One end of a connection that does to the other whatever a test wants: plain TCP, TLS with any
// certificate or none, HTTP/2 frames by hand.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pki/cert_store.h"

namespace fx::test {

class HostilePeer {
 public:
  // A TCP connection to this machine, which must succeed.
  explicit HostilePeer(std::uint16_t port);
  ~HostilePeer();
  HostilePeer(HostilePeer&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), tls_(std::move(other.tls_)) {}
  HostilePeer& operator=(HostilePeer&&) = delete;

  // A TLS handshake as a client of HTTP/2. Without a certificate in `credentials` none is shown.
  // False if the other end refused at once; in TLS 1.3 it may also refuse afterwards.
  bool HandShake(const PemBundle& credentials);

  // All of the bytes, through TLS once that is there. False if the other end has closed.
  bool Send(std::string_view bytes);

  // Reads and drops what comes until the other end closes. False: it has not within the time.
  bool IsClosedWithin(int ms);

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  int fd_;
  std::unique_ptr<SSL, Free> tls_;
};

// The first bytes of a TLS handshake as a client would send them.
std::string ClientHello();

// Pieces of HTTP/2 (RFC 9113).
using Http2Header = std::pair<std::string, std::string>;
std::string Http2Preface();  // the client's, with empty SETTINGS
std::string Http2Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                       std::string_view payload);
// HEADERS of a gRPC call on stream 1, with these after the usual ones.
std::string Http2Call(const std::string& method, const std::vector<Http2Header>& more);
// DATA on stream 1: a gRPC message that is marked as compressed, or not.
std::string Http2Message(std::string_view bytes, bool compressed);

}  // namespace fx::test
