#include "rpc/credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_metadata_processor.h>

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

class ServerIdentity::State {
 public:
  State(const PemBundle& pem, bool require_client_auth)
      : request_(require_client_auth ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                     : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE) {
    DemandTls13(pem.ecdsa);
    Replace(pem);
  }

  void Replace(const PemBundle& pem) {
    const grpc_ssl_pem_key_cert_pair pair = {.private_key = pem.private_key.c_str(),
                                             .cert_chain = pem.certificate.c_str()};
    ConfigPtr made(grpc_ssl_server_certificate_config_create(pem.authorities.c_str(), &pair, 1));
    const std::lock_guard lock(mutex_);
    next_ = std::move(made);
  }

  grpc_server_credentials* Make() {
    return grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(request_, Fetch, this));
  }

 private:
  struct Destroy {
    void operator()(grpc_ssl_server_certificate_config* config) const {
      grpc_ssl_server_certificate_config_destroy(config);
    }
  };
  using ConfigPtr = std::unique_ptr<grpc_ssl_server_certificate_config, Destroy>;

  // At every handshake, on gRPC's threads.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* data, grpc_ssl_server_certificate_config** config) {
    auto& state = *static_cast<State*>(data);
    const std::lock_guard lock(state.mutex_);
    if (state.next_ == nullptr) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    *config = state.next_.release();
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const grpc_ssl_client_certificate_request_type request_;
  std::mutex mutex_;
  ConfigPtr next_;  // what gRPC has not fetched yet
};

namespace {

// The C interface's credentials as the C++ interface wants them.
class FetchedCredentials final : public grpc::ServerCredentials {
 public:
  explicit FetchedCredentials(grpc_server_credentials* core) : core_(core) {}
  ~FetchedCredentials() override { grpc_server_credentials_release(core_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    FX_CHECK(false);  // who calls is judged by the certificate alone
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), core_);
  }

  grpc_server_credentials* const core_;
};

}  // namespace

ServerIdentity::ServerIdentity(const PemBundle& pem, bool require_client_auth)
    : state_(std::make_unique<State>(pem, require_client_auth)) {}
ServerIdentity::~ServerIdentity() = default;

void ServerIdentity::Replace(const PemBundle& pem) {
  state_->Replace(pem);
}

std::shared_ptr<grpc::ServerCredentials> ServerIdentity::Credentials() {
  grpc_init();
  auto credentials = std::make_shared<FetchedCredentials>(state_->Make());
  grpc_shutdown();
  return credentials;
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

std::string PeerCertificate(const grpc::AuthContext& context) {
  if (!context.IsPeerAuthenticated()) return "";
  std::vector<std::string> pem;
  Append(context, GRPC_X509_PEM_CERT_PROPERTY_NAME, pem);
  return pem.empty() ? "" : pem.front();
}

}  // namespace fx
