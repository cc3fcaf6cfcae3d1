#include "pki/tcp_connection.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <memory>
#include <system_error>
#include <utility>

#include "core/base/format.h"

namespace fx {
namespace {

struct AddressesFree {
  void operator()(addrinfo* addresses) const { freeaddrinfo(addresses); }
};
using Addresses = std::unique_ptr<addrinfo, AddressesFree>;

std::string Text(int error) {
  return std::generic_category().message(error);
}

std::string WhereItIsSaid(Callee callee) {
  return callee == Callee::kProxy ? "the proxy in site.yaml or in the environment"
                                  : "network.settings.agg_addr in plan/plan.yaml";
}

Result<Addresses> Resolve(const std::string& host, std::uint16_t port, Callee callee) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code == 0) return Addresses(found);
  return Fail(
      Error(ErrorCode::kUnavailable,
            format("{}: this name does not resolve to an address: {}", host, gai_strerror(code)))
          .Hint(format("check {}, and the DNS server or /etc/hosts of this machine",
                       WhereItIsSaid(callee))));
}

// 0 once the socket is ready for `events`, ETIMEDOUT at the deadline, or another errno.
int WaitFor(int fd, short events, Deadline deadline) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd wait{.fd = fd, .events = events, .revents = 0};
    const int ready =
        poll(&wait, 1, static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX)));
    if (ready > 0) return 0;
    if (ready == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

// 0, or the errno that says why not.
int Connect(int fd, const addrinfo& address, Deadline deadline) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (const int error = WaitFor(fd, POLLOUT, deadline); error != 0) return error;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

Error Refused(const std::string& place, Callee callee) {
  const bool proxy = callee == Callee::kProxy;
  return Error(ErrorCode::kUnavailable,
               format("{}: connection refused: the machine answers, but {} is not running there{}",
                      place, proxy ? "a proxy" : "the aggregator", proxy ? "" : " yet"))
      .Hint(proxy ? "check " + WhereItIsSaid(callee) : "start it with: fx aggregator start");
}

Error NotConnected(const std::string& place, std::uint16_t port, int error, Callee callee) {
  if (error == ECONNREFUSED) return Refused(place, callee);
  if (error == ETIMEDOUT) {
    return Error(ErrorCode::kUnavailable,
                 format("{}: no answer: the machine is off, or a firewall drops the connection",
                        place))
        .Hint(callee == Callee::kProxy
                  ? "check " + WhereItIsSaid(callee)
                  : format("ask for outgoing TCP connections to port {} to be let through, or name "
                           "the proxy of this network in site.yaml",
                           port));
  }
  return Error(ErrorCode::kUnavailable, format("{}: cannot connect: {}", place, Text(error)));
}

}  // namespace

Result<TcpConnection> TcpConnection::Open(const std::string& host, std::uint16_t port,
                                          Deadline deadline, Callee callee) {
  const Addresses addresses = TRY(Resolve(host, port, callee));
  const std::string place = format("{}:{}", host, port);
  int error = 0;
  for (const addrinfo* at = addresses.get(); at != nullptr; at = at->ai_next) {
    const int fd =
        socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
    if (fd < 0) {
      error = errno;
      continue;
    }
    TcpConnection connection(fd, place);
    const int failed = Connect(fd, *at, deadline);
    if (failed == 0) return connection;
    // A refusal says more than what the other addresses of the name have to say.
    if (error != ECONNREFUSED) error = failed;
  }
  return Fail(NotConnected(place, port, error, callee));
}

TcpConnection::TcpConnection(TcpConnection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), place_(std::move(other.place_)) {}

TcpConnection::~TcpConnection() {
  if (fd_ >= 0) close(fd_);
}

Status TcpConnection::Send(std::span<const std::byte> bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      continue;
    }
    int error = errno;
    if (error == EAGAIN) error = WaitFor(fd_, POLLOUT, deadline);
    if (error != 0 && error != EINTR) {
      return Fail(ErrorCode::kUnavailable, format("{}: {}", place_, Text(error)));
    }
  }
  return Ok();
}

Result<std::size_t> TcpConnection::Receive(std::span<std::byte> into, Deadline deadline) {
  for (;;) {
    const ssize_t n = recv(fd_, into.data(), into.size(), 0);
    if (n >= 0) return static_cast<std::size_t>(n);
    int error = errno;
    if (error == EAGAIN) error = WaitFor(fd_, POLLIN, deadline);
    if (error == ETIMEDOUT) {
      return Fail(ErrorCode::kDeadlineExceeded, format("{}: no answer in time", place_));
    }
    if (error != 0 && error != EINTR) {
      return Fail(ErrorCode::kUnavailable, format("{}: {}", place_, Text(error)));
    }
  }
}

}  // namespace fx
