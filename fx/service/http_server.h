// A web server for probes and for Prometheus: answers GET with a short text, and nothing else.
//
// One thread, few connections, each with one short request (RFC 9112) and little time: a client
// that is slow or hostile costs its own connection and no other. A request that is there when its
// connection is, as a probe's, is answered at once, however many connections are held open; of
// those that wait, the address that has most gives way; of IPv6 the network of 64 bits counts, as
// one machine may have all of its addresses. Whoever has many addresses can keep out a client whose
// request comes after its connection. No TLS and no passwords: what is served says nothing that
// must not be known to whoever reaches the address, which is this machine only unless somebody says
// otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/error.h"

namespace fx {

struct HttpReply {
  int status = 200;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
};

class HttpServer {
 public:
  // Waiting for the rest of a request, or to be read. Beyond it one is closed: of the address that
  // has most of them, the oldest.
  static constexpr std::size_t kMostConnections = 32;
  static constexpr std::size_t kMostRequestBytes = 8192;
  static constexpr std::int64_t kMostMs = 2'000;  // from connecting to the last byte of the answer

  // Is given the path, without what follows a "?", on the server's thread. Must not block.
  using Handler = std::function<HttpReply(std::string_view path)>;

  // Serves from now on. `address` is host:port, or a port of 127.0.0.1; port 0 is any free one.
  static Result<std::unique_ptr<HttpServer>> Start(const std::string& address, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // "127.0.0.1:9090"
  const std::string& place() const { return place_; }
  std::uint16_t port() const { return port_; }

 private:
  struct Connection;
  HttpServer(int socket, Handler handler);
  using Connections = std::list<Connection>;
  void Serve(const std::stop_token& stop);
  // False: the process is out of descriptors.
  bool Accept(Connections& open) const;
  static void MakeRoom(Connections& open);

  const int socket_;
  const int stopped_;  // an eventfd that wakes the thread
  const Handler handler_;
  std::string place_;
  std::uint16_t port_ = 0;
  std::jthread thread_;
};

// For tests.
namespace internal {
// All of an answer to the bytes of a request; empty while more of it has to come.
std::string HttpAnswer(std::string_view request, const HttpServer::Handler& handler);
// Whom a connection from the address is counted with: the address, or of IPv6 its network, unless
// it is one of IPv4 in another form (::ffff:192.0.2.1).
std::string CountedAs(const std::string& host);
}  // namespace internal

}  // namespace fx
