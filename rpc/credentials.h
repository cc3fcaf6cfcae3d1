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

// `require_client_auth` false accepts any client; the plan's network.settings.require_client_auth.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const PemBundle& pem,
                                                               bool require_client_auth);
std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const PemBundle& pem);

// The names the peer's certificate carries: common name first, then subject alternative names.
// Empty if the peer showed no certificate.
std::vector<std::string> PeerNames(const grpc::AuthContext& context);

}  // namespace fx
