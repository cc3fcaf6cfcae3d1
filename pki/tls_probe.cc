#include "pki/tls_probe.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/format.h"
#include "pki/certificate.h"
#include "pki/chain.h"
#include "pki/openssl.h"
#include "pki/private_key.h"
#include "pki/tcp_connection.h"
#include "pki/tunnel.h"

namespace fx {
namespace {

constexpr std::string_view kHttp2 = "h2";

// What the callback below needs to know, and what it found.
struct ServerCheck {
  std::string place;
  std::vector<Certificate> chain;
  std::string chain_place;
  std::optional<Error> refusal;
};

int RememberWhyNot(int ok, X509_STORE_CTX* context) {
  if (ok == 1) return 1;
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* check = static_cast<ServerCheck*>(SSL_get_app_data(ssl));
  check->refusal = VerificationError(context, check->place, check->chain, check->chain_place);
  return 0;
}

Error Refused(std::string sentence, std::string hint) {
  return Error(ErrorCode::kUnauthenticated, std::move(sentence)).Hint(std::move(hint));
}

// Addresses are not for the server name extension (RFC 6066, section 3).
bool IsAddress(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ERR_clear_error();
  ASN1_OCTET_STRING_free(address);
  return address != nullptr;
}

// One handshake, over memory: the bytes travel through a connection with a deadline.
class Handshake {
 public:
  Handshake(std::string place, TcpConnection connection, Certificate ours,
            std::vector<Certificate> chain, std::string chain_place, Deadline deadline)
      : place_(std::move(place)),
        connection_(std::move(connection)),
        ours_(std::move(ours)),
        deadline_(deadline),
        check_{.place = place_,
               .chain = std::move(chain),
               .chain_place = std::move(chain_place),
               .refusal = std::nullopt} {}

  Status Run(const std::string& host, const PrivateKey& key) {
    TRY(Prepare(host, key));
    TRY(Drive([this] { return SSL_connect(ssl_.get()); }));
    TRY(CheckName(host));
    TRY(CheckProtocol());
    char first = 0;
    return Drive([this, &first] { return SSL_read(ssl_.get(), &first, 1); });
  }

 private:
  Status Prepare(const std::string& host, const PrivateKey& key) {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    FX_CHECK(context_ != nullptr);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_NO_AUTO_CHAIN);  // the leaf alone, as gRPC
    SSL_CTX_set1_cert_store(context_.get(), TRY(MakeTrustStore(check_.chain)).get());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, RememberWhyNot);
    if (SSL_CTX_use_certificate(context_.get(), ours_.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1) {
      return Fail(OpenSslError(ErrorCode::kUnauthenticated, "cannot use our own certificate"));
    }
    ssl_.reset(SSL_new(context_.get()));
    FX_CHECK(ssl_ != nullptr);
    const std::string protocols = format("{}{}", static_cast<char>(kHttp2.size()), kHttp2);
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
    SSL_set_app_data(ssl_.get(), &check_);
    if (!IsAddress(host)) SSL_set_tlsext_host_name(ssl_.get(), host.c_str());
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    return Ok();
  }

  // Repeats an operation of OpenSSL, carrying bytes both ways, until it is done.
  Status Drive(const std::function<int()>& operation) {
    for (;;) {
      ERR_clear_error();
      const int done = operation();
      const int why = SSL_get_error(ssl_.get(), done);
      Status flushed = Flush();
      if (done > 0) return Ok();
      if (why != SSL_ERROR_WANT_READ) return Fail(Explain());
      if (!flushed) return flushed;
      TRY(Fill());
    }
  }

  Status Flush() {
    BIO* out = SSL_get_wbio(ssl_.get());
    std::array<char, 4096> block;
    for (;;) {
      const int n = BIO_read(out, block.data(), static_cast<int>(block.size()));
      if (n <= 0) return Ok();
      const std::string_view bytes(block.data(), static_cast<std::size_t>(n));
      TRY(connection_.Send(AsBytes(bytes), deadline_));
    }
  }

  Status Fill() {
    std::array<std::byte, 4096> block;
    const auto received = connection_.Receive(block, deadline_);
    if (!received && received.error().code() == ErrorCode::kDeadlineExceeded) {
      return Fail(ErrorCode::kUnavailable,
                  format("{}: something accepts connections there but says nothing: the aggregator "
                         "is overloaded, or it is another program",
                         place_));
    }
    if (!received) return Fail(received.error());
    if (*received == 0) {
      return Fail(ErrorCode::kUnavailable,
                  format("{}: the server closed the connection without a reason", place_));
    }
    BIO_write(SSL_get_rbio(ssl_.get()), block.data(), static_cast<int>(*received));
    return Ok();
  }

  Status CheckName(const std::string& host) const {
    X509Ptr peer(SSL_get1_peer_certificate(ssl_.get()));
    FX_CHECK(peer != nullptr);
    const Certificate certificate(std::move(peer));
    if (certificate.IsFor(host)) return Ok();
    return Fail(Refused(format("{}: the aggregator's certificate is for {}, not for \"{}\"", place_,
                               DescribeNames(certificate), host),
                        "network.settings.agg_addr in plan/plan.yaml must be the name the "
                        "aggregator's certificate was made for"));
  }

  Status CheckProtocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    if (std::string_view(reinterpret_cast<const char*>(name), size) == kHttp2) return Ok();
    return Fail(ErrorCode::kUnavailable,
                format("{}: what answers there speaks TLS but not HTTP/2; it is not an aggregator",
                       place_));
  }

  Error Explain() const {
    if (check_.refusal) return *check_.refusal;
    const int reason = ERR_GET_REASON(ERR_peek_error());
    switch (reason) {
      case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        return Refused(format("{}: the aggregator refuses our certificate as expired; here it is "
                              "valid until {}",
                              place_, UtcText(ours_.validity().to)),
                       "get a new certificate, or check the clocks of both machines");
      case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return Refused(format("{}: the aggregator refuses our certificate: it was signed by {}, "
                              "which the aggregator does not trust",
                              place_, ours_.DescribeIssuer()),
                       "get a certificate from the authority of this aggregator");
      case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
      case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
      case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        return Refused(format("{}: the aggregator refuses our certificate of {}: {}", place_,
                              ours_.Describe(), ERR_reason_error_string(ERR_peek_error())),
                       "ask the aggregator's administrator for a new certificate");
      default:
        return NoCommonLanguage(reason);
    }
  }

  Error NoCommonLanguage(int reason) const {
    switch (reason) {
      case SSL_R_WRONG_VERSION_NUMBER:
      case SSL_R_HTTP_REQUEST:
      case SSL_R_UNEXPECTED_MESSAGE:
        ERR_clear_error();
        return Error(ErrorCode::kUnavailable,
                     format("{}: what answers there does not speak TLS; it is not an aggregator, "
                            "or one with TLS switched off",
                            place_));
      case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return OpenSslError(
            ErrorCode::kUnauthenticated,
            format("{}: the two ends agree on no version or cipher of TLS (ours needs TLS 1.2 or "
                   "1.3)",
                   place_));
      default:
        return OpenSslError(ErrorCode::kUnavailable,
                            format("{}: the TLS handshake failed", place_));
    }
  }

  std::string place_;
  TcpConnection connection_;
  Certificate ours_;
  Deadline deadline_;
  ServerCheck check_;
  SslContextPtr context_;
  SslPtr ssl_;
};

}  // namespace

Status ProbeTls(const std::string& host, std::uint16_t port, const PemBundle& credentials,
                std::chrono::milliseconds timeout, const std::optional<Proxy>& proxy) {
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  Certificate ours = TRY(Certificate::FromPem(credentials.certificate, "our certificate"));
  const PrivateKey key = TRY(PrivateKey::FromPem(credentials.private_key, "our private key"));
  const std::string& trusted = credentials.authorities_place;
  auto chain = TRY(ChainFromPem(credentials.authorities, trusted));
  TcpConnection connection = TRY(proxy ? OpenTunnel(*proxy, host, port, deadline)
                                       : TcpConnection::Open(host, port, deadline));
  return Handshake(format("{}:{}", host, port), std::move(connection), std::move(ours),
                   std::move(chain), trusted, deadline)
      .Run(host, key);
}

}  // namespace fx
