// An HTTP proxy on loopback that does CONNECT as a hospital's does: it may ask who calls, refuse,
// answer nonsense, and close in the middle. It knows one server, by whatever name it is asked for:
// the names are the proxy's to resolve.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fx::test {

struct ConnectRules {
  std::string authorization{};    // the value of Proxy-Authorization it demands; empty: none
  std::string answer{};           // instead of a tunnel: what it says, before it closes
  bool silent = false;            // accepts, and says nothing
  std::uint64_t close_after = 0;  // bytes both ways, of one connection, once; 0: never
};

// All functions may be called from any thread.
class ConnectProxy {
 public:
  explicit ConnectProxy(std::uint16_t server_port, ConnectRules rules = {});
  ~ConnectProxy();  // closes all connections
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  std::uint16_t port() const { return port_; }
  void SetRules(ConnectRules rules);

  // What was asked for, "host:port", one each connection that had a request.
  std::vector<std::string> targets() const;
  std::size_t tunnels() const;   // opened so far
  std::size_t closings() const;  // by close_after
  std::uint64_t bytes() const;   // through all tunnels, both ways
  void WaitForRequests(std::size_t count) const;

 private:
  void Accept(const std::stop_token& stop);
  void Serve(int client);
  void Tunnel(int client);
  void Pump(int client, int server);
  bool Count(std::size_t bytes, std::uint64_t& of_connection);
  std::string Judge(const std::string& head);

  const std::uint16_t server_port_;
  int listener_ = -1;
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  ConnectRules rules_;
  std::vector<std::string> targets_;
  std::vector<int> sockets_;  // of clients, to be shut down at the end
  std::size_t tunnels_ = 0, closings_ = 0;
  std::uint64_t bytes_ = 0;
  std::list<std::jthread> connections_;
  std::jthread acceptor_;  // last: it uses everything else
};

}  // namespace fx::test
