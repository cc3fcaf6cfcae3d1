#include "tests/integration/hostile_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>

#include "core/base/error.h"

namespace fx::test {
namespace {

constexpr std::size_t kMaxFrame = 16'384;  // what a server must take before it says otherwise

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using MemoryBio = std::unique_ptr<BIO, FreeBio>;

// Believes any server: who it is makes no difference to the attack.
Context MakeContext(const PemBundle& credentials) {
  Context context(SSL_CTX_new(TLS_client_method()));
  constexpr std::array<unsigned char, 3> kH2 = {2, 'h', '2'};
  FX_CHECK(SSL_CTX_set_alpn_protos(context.get(), kH2.data(), kH2.size()) == 0);
  if (credentials.certificate.empty()) return context;
  const MemoryBio certificate(BIO_new_mem_buf(credentials.certificate.data(),
                                              static_cast<int>(credentials.certificate.size())));
  X509* const x509 = PEM_read_bio_X509(certificate.get(), nullptr, nullptr, nullptr);
  FX_CHECK(SSL_CTX_use_certificate(context.get(), x509) == 1);
  X509_free(x509);
  const MemoryBio key(BIO_new_mem_buf(credentials.private_key.data(),
                                      static_cast<int>(credentials.private_key.size())));
  EVP_PKEY* const pkey = PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr);
  FX_CHECK(SSL_CTX_use_PrivateKey(context.get(), pkey) == 1);
  EVP_PKEY_free(pkey);
  return context;
}

void AppendBig(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i)));
}

// An integer with a prefix of seven bits (RFC 7541, 5.1).
std::string HpackLength(std::size_t length) {
  constexpr std::size_t kPrefix = 127;
  if (length < kPrefix) return {static_cast<char>(length)};
  std::string out(1, static_cast<char>(kPrefix));
  length -= kPrefix;
  for (; length >= 128; length /= 128) out.push_back(static_cast<char>(length % 128 + 128));
  out.push_back(static_cast<char>(length));
  return out;
}

}  // namespace

HostilePeer::HostilePeer(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  FX_CHECK(fd_ >= 0);
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes as it likes
  constexpr timeval kPatience = {.tv_sec = 10, .tv_usec = 0};
  FX_CHECK(setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience) == 0);
  FX_CHECK(setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) == 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  FX_CHECK(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

HostilePeer::~HostilePeer() {
  if (fd_ >= 0) close(fd_);
}

bool HostilePeer::HandShake(const PemBundle& credentials) {
  const Context context = MakeContext(credentials);
  tls_.reset(SSL_new(context.get()));
  FX_CHECK(SSL_set_fd(tls_.get(), fd_) == 1);
  return SSL_connect(tls_.get()) == 1;
}

bool HostilePeer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent =
        tls_ ? SSL_write(tls_.get(), bytes.data(),
                         static_cast<int>(std::min<std::size_t>(bytes.size(), kMaxFrame)))
             : send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool HostilePeer::IsClosedWithin(int ms) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(ms);
  std::array<char, 4096> dropped;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd ready = {.fd = fd_, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    if (recv(fd_, dropped.data(), dropped.size(), 0) <= 0) return true;
  }
}

std::string ClientHello() {
  const std::unique_ptr<SSL_CTX, FreeContext> context(SSL_CTX_new(TLS_client_method()));
  SSL* const ssl = SSL_new(context.get());
  BIO* const written = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), written);
  SSL_connect(ssl);
  std::string hello(BIO_ctrl_pending(written), '\0');
  FX_CHECK(BIO_read(written, hello.data(), static_cast<int>(hello.size())) > 0);
  SSL_free(ssl);
  return hello;
}

std::string Http2Preface() {
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Http2Frame(4, 0, 0, "");
}

std::string Http2Frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                       std::string_view payload) {
  std::string frame;
  AppendBig(frame, payload.size(), 3);
  AppendBig(frame, type, 1);
  AppendBig(frame, flags, 1);
  AppendBig(frame, stream, 4);
  return frame.append(payload);
}

std::string Http2Call(const std::string& method, const std::vector<Http2Header>& more) {
  std::vector<Http2Header> headers = {{":method", "POST"},
                                      {":scheme", "https"},
                                      {":path", "/fx.federation.v1.Aggregator/" + method},
                                      {":authority", "localhost"},
                                      {"content-type", "application/grpc"},
                                      {"te", "trailers"}};
  headers.insert(headers.end(), more.begin(), more.end());
  std::string block;
  for (const auto& [name, value] : headers) {
    block += '\0';  // a literal that is not indexed, with a new name
    block += HpackLength(name.size()) + name + HpackLength(value.size()) + value;
  }
  // HEADERS, then CONTINUATION for as long as it takes; the last has END_HEADERS.
  std::string frames;
  for (std::size_t at = 0; at < block.size(); at += kMaxFrame) {
    const bool last = at + kMaxFrame >= block.size();
    frames +=
        Http2Frame(at == 0 ? 1 : 9, last ? 4 : 0, 1, std::string_view(block).substr(at, kMaxFrame));
  }
  return frames;
}

std::string Http2Message(std::string_view bytes, bool compressed) {
  std::string message(1, compressed ? '\1' : '\0');
  AppendBig(message, bytes.size(), 4);
  message.append(bytes);
  std::string frames;
  for (std::size_t at = 0; at < message.size(); at += kMaxFrame) {
    frames += Http2Frame(0, 0, 1, std::string_view(message).substr(at, kMaxFrame));
  }
  return frames;
}

}  // namespace fx::test
