// Certificates on the wire: PEM text to gRPC credentials, and who the peer of a call is.
//
// Both ends always authenticate. With ECDSA certificates only TLS 1.3 is left: gRPC 1.51 has no
// setter for the lowest version, but offered only an RSA cipher suite for TLS 1.2 an ECDSA
// certificate can use none of it.
#pragma once

#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>
#include <vector>

#include "pki/cert_store.h"

namespace fx {

// What a server shows and whom it trusts, for handshakes to come; connections that are open keep
// what they were opened with. Thread-safe.
//
// gRPC asks for it at each handshake, through the fetcher of its C interface
// (grpc_ssl_server_credentials_create_options_using_config_fetcher), which unlike its watcher of
// files lets us check a pair of files before it is used.
class ServerIdentity {
 public:
  // `require_client_auth` false accepts any client; the plan's
  // network.settings.require_client_auth.
  ServerIdentity(const PemBundle& pem, bool require_client_auth);
  ~ServerIdentity();
  ServerIdentity(const ServerIdentity&) = delete;
  ServerIdentity& operator=(const ServerIdentity&) = delete;

  void Replace(const PemBundle& pem);

  // For one port of one server, which the identity must outlive.
  std::shared_ptr<grpc::ServerCredentials> Credentials();

 private:
  class State;
  std::unique_ptr<State> state_;
};

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const PemBundle& pem);

// The names the peer's certificate carries: common name first, then subject alternative names.
// Empty if the peer showed no certificate.
std::vector<std::string> PeerNames(const grpc::AuthContext& context);

// The peer's certificate in PEM; empty if it showed none.
std::string PeerCertificate(const grpc::AuthContext& context);

}  // namespace fx
