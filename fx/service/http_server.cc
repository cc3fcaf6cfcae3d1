#include "fx/service/http_server.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "core/base/format.h"

namespace fx {
namespace {

using Steady = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

struct Place {
  std::string host = "127.0.0.1";
  std::string port;
};

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

Result<Place> ParsePlace(const std::string& address) {
  Place place;
  const std::size_t colon = address.rfind(':');
  place.port = colon == std::string::npos ? address : address.substr(colon + 1);
  if (colon != std::string::npos && colon > 0) place.host = address.substr(0, colon);
  if (place.host.starts_with('[') && place.host.ends_with(']')) {
    place.host = place.host.substr(1, place.host.size() - 2);
  } else if (place.host.find(':') != std::string::npos) {
    place.host.clear();
  }
  if (IsPort(place.port) && !place.host.empty()) return place;
  return Fail(Error(ErrorCode::kInvalidArgument,
                    format("\"{}\" is not an address for the health end points", address))
                  .Hint("a port, as in 9090, or an address and a port, as in 0.0.0.0:9090 or "
                        "[::]:9090"));
}

Error CannotListen(const std::string& address, const std::string& why) {
  return Error(ErrorCode::kUnavailable,
               format("cannot serve the health end points at {}: {}", address, why))
      .Hint("name another address with --health, or stop the program that uses this one");
}

int Listen(const addrinfo& at) {
  const int fd = socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  static_cast<void>(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  if (bind(fd, at.ai_addr, at.ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

Result<int> ListenAt(const std::string& address) {
  const Place place = TRY(ParsePlace(address));
  addrinfo wanted{};
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(place.host.c_str(), place.port.c_str(), &wanted, &found);
  if (failed != 0) return Fail(CannotListen(address, gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  const int fd = Listen(*found);
  if (fd < 0) return Fail(CannotListen(address, std::strerror(errno)));
  return fd;
}

// host:port of a listening socket.
Place PlaceOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  FX_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0);
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  FX_CHECK(getnameinfo(reinterpret_cast<sockaddr*>(&bound), size, host.data(), host.size(),
                       port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) == 0);
  return {.host = host.data(), .port = port.data()};
}

// The address a connection comes from, without its port.
std::string HostOf(const sockaddr_storage& from, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  const int failed = getnameinfo(reinterpret_cast<const sockaddr*>(&from), size, host.data(),
                                 host.size(), nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? host.data() : "";
}

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Bad Request";
  }
}

std::string Written(const HttpReply& reply, bool head) {
  return format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n"
      "Connection: close\r\n\r\n{}",
      reply.status, ReasonOf(reply.status), reply.type, reply.body.size(),
      head ? std::string_view() : std::string_view(reply.body));
}

}  // namespace

namespace internal {

std::string CountedAs(const std::string& host) {
  in6_addr at{};
  if (inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &at) != 1) return host;
  if (IN6_IS_ADDR_V4MAPPED(&at)) return host;
  std::fill(std::begin(at.s6_addr) + 8, std::end(at.s6_addr), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> network{};
  inet_ntop(AF_INET6, &at, network.data(), network.size());
  return format("{}/64", network.data());
}

std::string HttpAnswer(std::string_view request, const HttpServer::Handler& handler) {
  const bool whole = request.find("\r\n\r\n") != std::string_view::npos ||
                     request.find("\n\n") != std::string_view::npos;
  if (!whole && request.size() < HttpServer::kMostRequestBytes) return {};
  std::string_view line = request.substr(0, request.find_first_of("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (!whole || first == last || !line.substr(last + 1).starts_with("HTTP/1.")) {
    return Written({.status = 400, .body = "not a request this server understands\n"}, false);
  }
  const std::string_view method = line.substr(0, first);
  const bool head = method == "HEAD";
  if (method != "GET" && !head) {
    return Written({.status = 405, .body = "only GET and HEAD\n"}, false);
  }
  std::string_view path = line.substr(first + 1, last - first - 1);
  path = path.substr(0, path.find('?'));
  return Written(handler(path), head);
}

}  // namespace internal

struct HttpServer::Connection {
  int fd = -1;
  std::string peer;  // its address
  Steady::time_point end;
  std::string in, out;  // `out` is what is left of the answer, once there is one

  Connection(int socket, std::string address)
      : fd(socket), peer(std::move(address)), end(Steady::now() + Milliseconds(kMostMs)) {}
  ~Connection() { close(fd); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  short events() const { return out.empty() ? POLLIN : POLLOUT; }

  // False: it is done with.
  bool Read(const Handler& handler) {
    std::array<char, 4096> bytes;
    const ssize_t got = recv(fd, bytes.data(), bytes.size(), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    in.append(bytes.data(), static_cast<std::size_t>(got));
    out = internal::HttpAnswer(in, handler);
    return out.empty() || Write();
  }
  bool Write() {
    const ssize_t sent = send(fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    out.erase(0, static_cast<std::size_t>(sent));
    if (!out.empty()) return true;
    shutdown(fd, SHUT_WR);
    return false;
  }
  bool Go(short ready, const Handler& handler) {
    if (Steady::now() >= end) return false;
    if ((ready & POLLOUT) != 0) return Write();
    if ((ready & (POLLIN | POLLHUP | POLLERR)) != 0) return Read(handler);
    return true;
  }
};

HttpServer::HttpServer(int socket, Handler handler)
    : socket_(socket),
      stopped_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      handler_(std::move(handler)) {
  FX_CHECK(stopped_ >= 0);
  const Place place = PlaceOf(socket);
  const bool is_ipv6 = place.host.find(':') != std::string::npos;
  place_ = (is_ipv6 ? "[" + place.host + "]" : place.host) + ":" + place.port;
  std::from_chars(place.port.data(), place.port.data() + place.port.size(), port_);
  thread_ = std::jthread([this](const std::stop_token& stop) { Serve(stop); });
}

HttpServer::~HttpServer() {
  thread_.request_stop();
  FX_CHECK(eventfd_write(stopped_, 1) == 0);
  thread_.join();
  close(socket_);
  close(stopped_);
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& address, Handler handler) {
  const int socket = TRY(ListenAt(address));
  return std::unique_ptr<HttpServer>(new HttpServer(socket, std::move(handler)));
}

void HttpServer::MakeRoom(Connections& open) {
  std::map<std::string_view, std::size_t> counts;
  for (const Connection& c : open) ++counts[c.peer];
  // The first of those that are equal, which came first.
  open.erase(std::ranges::max_element(
      open, {}, [&](const Connection& c) { return counts.find(c.peer)->second; }));
}

bool HttpServer::Accept(Connections& open) const {
  // Not without end: those that are open have to be looked after.
  for (std::size_t i = 0; i < kMostConnections; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd =
        accept4(socket_, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
    open.emplace_back(fd, internal::CountedAs(HostOf(from, size)));
    if (!open.back().Read(handler_)) {
      open.pop_back();
    } else if (open.size() > kMostConnections) {
      MakeRoom(open);
    }
  }
  return true;
}

void HttpServer::Serve(const std::stop_token& stop) {
  Connections open;
  while (!stop.stop_requested()) {
    std::vector<pollfd> ready = {{.fd = stopped_, .events = POLLIN, .revents = 0},
                                 {.fd = socket_, .events = POLLIN, .revents = 0}};
    for (const Connection& c : open) {
      ready.push_back({.fd = c.fd, .events = c.events(), .revents = 0});
    }
    if (poll(ready.data(), ready.size(), open.empty() ? -1 : 100) < 0) continue;
    auto at = ready.begin() + 2;
    std::erase_if(open, [&](Connection& c) { return !c.Go((at++)->revents, handler_); });
    if (ready[1].revents == 0 || Accept(open)) continue;
    // Who waits is still there, and would be announced at once.
    poll(ready.data(), 1, 100);
  }
}

}  // namespace fx
