// The proxy itself does what its script says, to the byte.
#include "tests/support/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "pki/tcp_connection.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

// A server of plain TCP; connections are taken and read one at a time.
class FaultProxyTest : public testing::Test {
 protected:
  FaultProxyTest() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    FX_CHECK(bind(listener_, name, length) == 0 && listen(listener_, 10) == 0 &&
             getsockname(listener_, name, &length) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~FaultProxyTest() override { close(listener_); }

  static Deadline Soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(20); }

  std::uint16_t port() const { return port_; }
  int Accept() const { return accept(listener_, nullptr, nullptr); }
  // Up to `limit` bytes, or to the end, however it comes.
  static std::string ReadUpTo(int fd, std::size_t limit) {
    std::string text;
    char c = 0;
    while (text.size() < limit && recv(fd, &c, 1, 0) == 1) text += c;
    return text;
  }

 private:
  int listener_ = socket(AF_INET, SOCK_STREAM, 0);
  std::uint16_t port_ = 0;
};

TEST_F(FaultProxyTest, CutsAfterExactlySoManyBytes) {
  const std::string sent = "0123456789";
  for (std::size_t bytes = 0; bytes < sent.size(); ++bytes) {
    FaultProxy proxy(port());
    proxy.Play({CutAfter(Direction::kUp, bytes)});
    auto client = Must(TcpConnection::Open("127.0.0.1", proxy.port(), Soon()));
    Must(client.Send(AsBytes(sent), Soon()));
    const int server = Accept();
    EXPECT_EQ(ReadUpTo(server, 100), sent.substr(0, bytes));
    EXPECT_EQ(proxy.forwarded(Direction::kUp), bytes);
    close(server);
  }
}

TEST_F(FaultProxyTest, HoldsWhatIsMutedUntilItIsReleased) {
  FaultProxy proxy(port());
  proxy.Play({MuteAfter(Direction::kUp, 2)});
  auto client = Must(TcpConnection::Open("127.0.0.1", proxy.port(), Soon()));
  Must(client.Send(AsBytes("abcdef"), Soon()));
  const int server = Accept();
  proxy.WaitUntilPlayed();
  EXPECT_EQ(ReadUpTo(server, 2), "ab");
  EXPECT_EQ(proxy.forwarded(Direction::kUp), 2U);
  proxy.Release();
  EXPECT_EQ(ReadUpTo(server, 4), "cdef");
  close(server);
}

TEST_F(FaultProxyTest, LetsALaterConnectionOvertakeAnEarlier) {
  FaultProxy proxy(port());
  proxy.Treat({{.overtaken = true}});
  auto first = Must(TcpConnection::Open("127.0.0.1", proxy.port(), Soon()));
  const int first_server = Accept();
  Must(first.Send(AsBytes("first"), Soon()));
  auto second = Must(TcpConnection::Open("127.0.0.1", proxy.port(), Soon()));
  const int second_server = Accept();
  EXPECT_EQ(proxy.forwarded(Direction::kUp), 0U);
  Must(second.Send(AsBytes("second"), Soon()));
  EXPECT_EQ(ReadUpTo(second_server, 6), "second");
  EXPECT_EQ(ReadUpTo(first_server, 5), "first");
  close(first_server);
  close(second_server);
}

TEST_F(FaultProxyTest, RefusesAndThenServes) {
  FaultProxy proxy(port());
  proxy.Treat({{.refuse = true}});
  if (auto refused = TcpConnection::Open("127.0.0.1", proxy.port(), Soon())) {
    std::array<std::byte, 1> byte{};
    const auto nothing = refused->Receive(byte, Soon());
    EXPECT_TRUE(!nothing || *nothing == 0);
  }  // else the reset came before the connection was looked at
  auto served = Must(TcpConnection::Open("127.0.0.1", proxy.port(), Soon()));
  Must(served.Send(AsBytes("x"), Soon()));
  const int server = Accept();
  EXPECT_EQ(ReadUpTo(server, 1), "x");
  close(server);
}

}  // namespace
}  // namespace fx::test
