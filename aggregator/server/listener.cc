#include "aggregator/server/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "core/base/format.h"
#include "core/base/log_throttle.h"

namespace fx::aggregator {
namespace {

// How long to leave the kernel alone after an error that more calls would only repeat.
constexpr int kPauseMs = 100;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

Address V4(in_addr ip, std::uint16_t port) {
  Address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v4.sin_addr = ip;
  address.size = sizeof v4;
  return address;
}

std::optional<Address> Parse(const std::string& text, std::uint16_t port) {
  in_addr ip{};
  if (inet_pton(AF_INET, text.c_str(), &ip) == 1) return V4(ip, port);
  if (!text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  Address address;
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  address.size = sizeof v6;
  if (inet_pton(AF_INET6, text.substr(1, text.size() - 2).c_str(), &v6.sin6_addr) != 1) {
    return std::nullopt;
  }
  return address;
}

// A listening socket, or the errno.
tl::expected<int, int> Listen(const Address& address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return tl::unexpected(errno);
  const int on = 1;
  const int off = 0;
  static_cast<void>(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  static_cast<void>(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));  // inherited
  if (address.family() == AF_INET6) {
    static_cast<void>(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off));
  }
  if (bind(fd, address.get(), address.size) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  const int error = errno;
  close(fd);
  return tl::unexpected(error);
}

// Where the kernel has no IPv6, every interface is every IPv4 interface.
tl::expected<int, int> ListenAt(const std::string& text, std::uint16_t port) {
  const std::optional<Address> address = Parse(text, port);
  if (!address) return tl::unexpected(EADDRNOTAVAIL);
  auto fd = Listen(*address);
  if (!fd && fd.error() == EAFNOSUPPORT && text == "[::]") {
    return Listen(V4({.s_addr = htonl(INADDR_ANY)}, port));
  }
  return fd;
}

Error CannotListen(const std::string& address, std::uint16_t port, int error) {
  if (error == EADDRINUSE) {
    return Error(ErrorCode::kUnavailable,
                 format("port {} is taken by another program on this machine", port))
        .Hint(
            "stop that program (perhaps an aggregator started before), listen elsewhere with "
            "--listen, or set another network.settings.agg_port in plan/plan.yaml and export the "
            "workspace again");
  }
  if (error == EACCES) {
    return Error(ErrorCode::kPermissionDenied, format("port {} may not be used by this user", port))
        .Hint(
            "listen on a port from 1024 on, with --listen or network.settings.agg_port in "
            "plan/plan.yaml");
  }
  return Error(ErrorCode::kUnavailable,
               format("cannot listen on {}:{}: {}", address, port, std::strerror(error)));
}

std::uint16_t PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  FX_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  const auto port = bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                                : reinterpret_cast<sockaddr_in&>(bound).sin_port;
  return ntohs(port);
}

int OpenSpare() {
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace

int MostConnections() {
  rlimit limit{};
  FX_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  constexpr rlim_t kMost = 1 << 20;
  const int files = static_cast<int>(std::min(limit.rlim_cur, kMost));
  return std::max(files - Listener::kReservedFiles, files / 2);
}

void RaiseConnectionLimit() {
  rlimit limit{};
  FX_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

Result<std::unique_ptr<Listener>> Listener::Open(const std::string& address, std::uint16_t port) {
  const auto socket = ListenAt(address, port);
  if (!socket) return Fail(CannotListen(address, port, socket.error()));
  return std::unique_ptr<Listener>(new Listener(*socket));
}

Listener::Listener(int socket)
    : socket_(socket),
      stopped_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      spare_(OpenSpare()),
      port_(PortOf(socket)) {
  FX_CHECK(stopped_ >= 0);
}

Listener::~Listener() {
  Stop();
  for (const int fd : {socket_, stopped_, spare_}) {
    if (fd >= 0) close(fd);
  }
}

void Listener::Start(std::function<void(int)> take) {
  take_ = std::move(take);
  thread_ = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
}

void Listener::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  FX_CHECK(eventfd_write(stopped_, 1) == 0);
  thread_.join();
}

void Listener::Accept(const std::stop_token& stop) {
  std::array<pollfd, 2> ready = {pollfd{.fd = stopped_, .events = POLLIN, .revents = 0},
                                 pollfd{.fd = socket_, .events = POLLIN, .revents = 0}};
  while (!stop.stop_requested()) {
    if (poll(ready.data(), ready.size(), -1) > 0 && ready[1].revents != 0) AcceptOne(stop);
  }
}

void Listener::AcceptOne(const std::stop_token& stop) {
  static LogThrottle throttle;
  const int fd = accept4(socket_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  // The lowest free number is taken, so a high one means that so many are in use.
  if (fd >= 0 && fd < MostConnections()) return take_(fd);
  if (fd >= 0) {
    throttle.Warn("turned a connection away: too many are open",
                  {{"most", std::to_string(MostConnections())}});
    close(fd);
  } else if (errno == EMFILE && spare_ >= 0) {
    close(std::exchange(spare_, -1));
    const int unwanted = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (unwanted >= 0) close(unwanted);
    spare_ = OpenSpare();
  } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    throttle.Warn("cannot accept a connection", {{"reason", std::strerror(errno)}});
    pollfd wait = {.fd = stopped_, .events = POLLIN, .revents = 0};
    if (!stop.stop_requested()) static_cast<void>(poll(&wait, 1, kPauseMs));
  }
}

}  // namespace fx::aggregator
