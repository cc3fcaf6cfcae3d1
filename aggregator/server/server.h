// The aggregator's door to the network. The gRPC of it stays behind this header.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "aggregator/server/call_env.h"
#include "core/base/error.h"
#include "pki/cert_store.h"
#include "rpc/heartbeat.h"

namespace fx::aggregator {

struct ServerOptions {
  std::string address = "[::]";  // every interface; "127.0.0.1" keeps it to this machine
  std::uint16_t port = 0;        // 0: any free one
  bool tls = true;
  bool require_client_auth = true;
  Heartbeat heartbeat = {};
};

// Serves from Start until Shutdown or destruction.
class Server {
 public:
  // `env` must outlive the server. `credentials` are read only with tls. Refuses, with words for an
  // administrator, a port that is taken or not allowed.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                               const PemBundle& credentials, CallEnv& env);
  ~Server();

  std::uint16_t port() const;

  // What handshakes to come are made with. Not without tls. From any thread.
  void Renew(const PemBundle& credentials);

  // Takes no more calls and returns when the last has ended; calls still under way after a second
  // are cancelled. Close the waiters first, and keep the I/O thread running.
  void Shutdown();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fx::aggregator
