#include "rpc/credentials.h"

#include <grpc/grpc_security_constants.h>

#include <cstdlib>
#include <mutex>

namespace fx {
namespace {

// Must run before gRPC first reads its environment. An administrator's own setting stays.
void DemandTls13(bool ecdsa) {
  static std::once_flag once;
  if (!ecdsa) return;
  std::call_once(once, [] {
    setenv("GRPC_SSL_CIPHER_SUITES", "ECDHE-RSA-AES256-GCM-SHA384", /*overwrite=*/0);
  });
}

void Append(const grpc::AuthContext& context, const char* property,
            std::vector<std::string>& names) {
  for (const grpc::string_ref& value : context.FindPropertyValues(property)) {
    names.emplace_back(value.data(), value.size());
  }
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(const PemBundle& pem,
                                                               bool require_client_auth) {
  DemandTls13(pem.ecdsa);
  grpc::SslServerCredentialsOptions options(
      require_client_auth ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                          : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  options.pem_root_certs = pem.authorities;
  options.pem_key_cert_pairs.push_back(
      {.private_key = pem.private_key, .cert_chain = pem.certificate});
  return grpc::SslServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> MakeChannelCredentials(const PemBundle& pem) {
  DemandTls13(pem.ecdsa);
  return grpc::SslCredentials({.pem_root_certs = pem.authorities,
                               .pem_private_key = pem.private_key,
                               .pem_cert_chain = pem.certificate});
}

std::vector<std::string> PeerNames(const grpc::AuthContext& context) {
  std::vector<std::string> names;
  if (!context.IsPeerAuthenticated()) return names;
  Append(context, GRPC_X509_CN_PROPERTY_NAME, names);
  Append(context, GRPC_X509_SAN_PROPERTY_NAME, names);
  return names;
}

}  // namespace fx
