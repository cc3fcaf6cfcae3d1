#include "tests/support/connect_proxy.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string_view>
#include <utility>

#include "core/base/error.h"

namespace fx::test {
namespace {

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

bool SendAll(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string ReadHead(int from) {
  std::string head;
  for (char c = 0; !head.ends_with("\r\n\r\n") && recv(from, &c, 1, 0) == 1;) head += c;
  return head;
}

std::string TargetOf(const std::string& head) {
  const std::size_t begin = head.find(' ') + 1;
  return head.substr(begin, head.find(' ', begin) - begin);
}

}  // namespace

ConnectProxy::ConnectProxy(std::uint16_t server_port, ConnectRules rules)
    : server_port_(server_port), rules_(std::move(rules)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  FX_CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  FX_CHECK(listen(listener_, 64) == 0);
  FX_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
}

ConnectProxy::~ConnectProxy() {
  acceptor_.request_stop();
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  connections_.clear();
  for (const int socket : sockets_) close(socket);
  close(listener_);
}

void ConnectProxy::SetRules(ConnectRules rules) {
  const std::lock_guard lock(mutex_);
  rules_ = std::move(rules);
}

std::vector<std::string> ConnectProxy::targets() const {
  const std::lock_guard lock(mutex_);
  return targets_;
}

std::size_t ConnectProxy::tunnels() const {
  const std::lock_guard lock(mutex_);
  return tunnels_;
}

std::size_t ConnectProxy::closings() const {
  const std::lock_guard lock(mutex_);
  return closings_;
}

std::uint64_t ConnectProxy::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void ConnectProxy::WaitForRequests(std::size_t count) const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return targets_.size() >= count; });
}

void ConnectProxy::Accept(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    sockets_.push_back(client);
    connections_.emplace_back([this, client] { Serve(client); });
  }
}

void ConnectProxy::Serve(int client) {
  const std::string head = ReadHead(client);
  if (head.empty()) return;
  const std::string answer = Judge(head);
  SendAll(client, answer);
  if (answer.starts_with("HTTP/1.1 200")) Tunnel(client);
  const std::lock_guard lock(mutex_);
  if (!rules_.silent) shutdown(client, SHUT_RDWR);
}

// What the proxy says to a request.
std::string ConnectProxy::Judge(const std::string& head) {
  const std::lock_guard lock(mutex_);
  targets_.push_back(TargetOf(head));
  changed_.notify_all();
  if (rules_.silent) return "";
  if (!rules_.answer.empty()) return rules_.answer;
  const bool known =
      rules_.authorization.empty() ||
      head.find("Proxy-Authorization: " + rules_.authorization + "\r\n") != std::string::npos ||
      head.find("Proxy-Authorization:" + rules_.authorization + "\r\n") != std::string::npos;
  if (known) return "HTTP/1.1 200 Connection established\r\n\r\n";
  return "HTTP/1.1 407 Proxy Authentication Required\r\n"
         "Proxy-Authenticate: Basic realm=\"hospital\"\r\nContent-Length: 0\r\n\r\n";
}

void ConnectProxy::Tunnel(int client) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(server_port_);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    {
      const std::lock_guard lock(mutex_);
      ++tunnels_;
    }
    Pump(client, server);
  }
  close(server);
}

void ConnectProxy::Pump(int client, int server) {
  std::array<pollfd, 2> ends{{{.fd = client, .events = POLLIN, .revents = 0},
                              {.fd = server, .events = POLLIN, .revents = 0}}};
  std::array<char, 1 << 14> block;
  std::uint64_t of_connection = 0;
  while (poll(ends.data(), ends.size(), -1) > 0) {
    for (std::size_t k = 0; k < ends.size(); ++k) {
      if (ends[k].revents == 0) continue;
      const ssize_t n = recv(ends[k].fd, block.data(), block.size(), 0);
      if (n <= 0) return;
      const auto bytes = static_cast<std::size_t>(n);
      if (!SendAll(ends[1 - k].fd, {block.data(), bytes})) return;
      if (!Count(bytes, of_connection)) return;
    }
  }
}

// False: this connection is to be closed now.
bool ConnectProxy::Count(std::size_t bytes, std::uint64_t& of_connection) {
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
  of_connection += bytes;
  if (rules_.close_after == 0 || of_connection < rules_.close_after) return true;
  rules_.close_after = 0;
  ++closings_;
  return false;
}

}  // namespace fx::test
