// A server for one connection, on a port of its own, in a thread of its own: what a client that
// asks for diagnosis may run into.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "pki/cert_store.h"
#include "pki/certificate.h"
#include "pki/chain.h"
#include "pki/openssl.h"
#include "pki/private_key.h"

namespace fx::test {

// A listening socket on 127.0.0.1.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    FX_CHECK(bind(fd_, generic, size) == 0 && listen(fd_, 4) == 0);
    FX_CHECK(getsockname(fd_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }
  std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

struct TlsServerOptions {
  bool http2 = true;
  int newest_protocol = TLS1_3_VERSION;
};

// Demands a certificate of the client, and says a word once it is content.
class TlsServer {
 public:
  explicit TlsServer(const PemBundle& pem, const TlsServerOptions& options = {})
      : context_(SSL_CTX_new(TLS_server_method())) {
    std::signal(SIGPIPE, SIG_IGN);
    const auto certificate = Certificate::FromPem(pem.certificate, "server");
    const auto key = PrivateKey::FromPem(pem.private_key, "server");
    auto chain = ChainFromPem(pem.authorities, "server");
    SSL_CTX_use_certificate(context_.get(), certificate->get());
    SSL_CTX_use_PrivateKey(context_.get(), key->get());
    SSL_CTX_set1_cert_store(context_.get(), MakeTrustStore(*chain)->get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_max_proto_version(context_.get(), options.newest_protocol);
    if (options.http2) SSL_CTX_set_alpn_select_cb(context_.get(), SelectHttp2, nullptr);
    thread_ = std::thread([this] { Serve(); });
  }
  ~TlsServer() {
    shutdown(listener_.fd(), SHUT_RDWR);
    thread_.join();
  }

  std::uint16_t port() const { return listener_.port(); }

 private:
  static int SelectHttp2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*,
                         unsigned, void*) {
    static constexpr std::string_view kName = "h2";
    *out = reinterpret_cast<const unsigned char*>(kName.data());
    *size = 2;
    return SSL_TLSEXT_ERR_OK;
  }

  void Serve() {
    const int fd = accept(listener_.fd(), nullptr, nullptr);
    if (fd < 0) return;
    {
      const SslPtr ssl(SSL_new(context_.get()));
      SSL_set_fd(ssl.get(), fd);
      if (SSL_accept(ssl.get()) == 1) SSL_write(ssl.get(), "!", 1);
    }
    shutdown(fd, SHUT_WR);
    std::array<char, 256> rest;
    while (read(fd, rest.data(), rest.size()) > 0) {
    }
    close(fd);
  }

  Listener listener_;
  SslContextPtr context_;
  std::thread thread_;
};

// Answers whatever comes with a line that is not TLS.
class PlainServer {
 public:
  PlainServer() : thread_([this] { Serve(); }) {}
  ~PlainServer() {
    shutdown(listener_.fd(), SHUT_RDWR);
    thread_.join();
  }
  std::uint16_t port() const { return listener_.port(); }

 private:
  void Serve() const {
    const int fd = accept(listener_.fd(), nullptr, nullptr);
    if (fd < 0) return;
    constexpr std::string_view kAnswer = "HTTP/1.1 400 Bad Request\r\n\r\n";
    send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    std::array<char, 256> rest;
    while (read(fd, rest.data(), rest.size()) > 0) {
    }
    close(fd);
  }

  Listener listener_;
  std::thread thread_;
};

}  // namespace fx::test
