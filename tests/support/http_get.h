// A web client for tests: sends bytes as they are, and hears until the other end closes.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "pki/tcp_connection.h"
#include "tests/support/must.h"

namespace fx::test {

class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port)
      : connection_(Must(TcpConnection::Open("127.0.0.1", port, Soon()))) {}

  void Say(const std::string& text) {
    Must(connection_.Send(std::as_bytes(std::span(text)), Soon()));
  }
  std::string Hear() {
    std::string text;
    std::array<std::byte, 256> bytes{};
    while (const std::size_t got = Must(connection_.Receive(bytes, Soon()))) {
      text.append(reinterpret_cast<const char*>(bytes.data()), got);
    }
    return text;
  }

 private:
  static Deadline Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

  TcpConnection connection_;
};

// The whole answer, headers included.
inline std::string HttpGet(std::uint16_t port, const std::string& path) {
  HttpClient client(port);
  client.Say("GET " + path + " HTTP/1.1\r\n\r\n");
  return client.Hear();
}

}  // namespace fx::test
