#include "fx/service/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <latch>
#include <list>
#include <string>

#include "tests/support/http_get.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using internal::HttpAnswer;
using test::HttpClient;
using test::HttpGet;
using test::IsError;
using test::Must;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

HttpReply Handle(std::string_view path) {
  if (path == "/round") return {.body = "3\n"};
  return {.status = 404, .body = "no\n"};
}

TEST(HttpServer, AnswersAGet) {
  const std::string answer = HttpAnswer("GET /round HTTP/1.1\r\nHost: x\r\n\r\n", Handle);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 2\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n3\n"));
}

TEST(HttpServer, LooksAtThePathOnly) {
  EXPECT_THAT(HttpAnswer("GET /round?a=b HTTP/1.0\n\n", Handle), EndsWith("3\n"));
  EXPECT_THAT(HttpAnswer("GET /rounds HTTP/1.1\r\n\r\n", Handle), StartsWith("HTTP/1.1 404 Not"));
}

TEST(HttpServer, LeavesTheBodyOutForAHead) {
  const std::string answer = HttpAnswer("HEAD /round HTTP/1.1\r\n\r\n", Handle);
  EXPECT_THAT(answer, HasSubstr("Content-Length: 2"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(HttpServer, RefusesWhatElsePeopleMaySend) {
  EXPECT_THAT(HttpAnswer("POST /round HTTP/1.1\r\n\r\n", Handle), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(HttpAnswer("\r\n\r\n", Handle), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(HttpAnswer("GET /round\r\n\r\n", Handle), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(HttpAnswer("GET /round SSH-2.0\r\n\r\n", Handle), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(HttpAnswer(std::string(HttpServer::kMostRequestBytes, 'x'), Handle),
              StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServer, WaitsForTheEndOfARequest) {
  EXPECT_THAT(HttpAnswer("GET /round HTTP/1.1\r\nHost:", Handle), IsEmpty());
}

// A client at another address of this machine.
class ClientFrom {
 public:
  ClientFrom(const char* source, std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const sockaddr_in from = At(source, 0);
    const sockaddr_in to = At("127.0.0.1", port);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from), 0);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  ~ClientFrom() { close(fd_); }
  ClientFrom(const ClientFrom&) = delete;
  ClientFrom& operator=(const ClientFrom&) = delete;

  void Say(const std::string& text) const {
    EXPECT_EQ(send(fd_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  std::string Hear() const {
    std::string text;
    std::array<char, 256> bytes{};
    ssize_t got = 0;
    while ((got = recv(fd_, bytes.data(), bytes.size(), 0)) > 0) {
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  static sockaddr_in At(const char* host, std::uint16_t port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(port);
    at.sin_addr.s_addr = inet_addr(host);
    return at;
  }
  int fd_;
};

class LiveHttpServer : public testing::Test {
 protected:
  std::unique_ptr<HttpServer> server_ = Must(HttpServer::Start("0", Handle));
};

TEST_F(LiveHttpServer, AnswersOverARealConnectionAndCloses) {
  HttpClient client(server_->port());
  client.Say("GET /round HT");
  client.Say("TP/1.1\r\n\r\n");
  EXPECT_THAT(client.Hear(), EndsWith("\r\n\r\n3\n"));
}

TEST_F(LiveHttpServer, IsNotStoppedByClientsThatSayNothing) {
  std::list<HttpClient> silent;
  for (std::size_t i = 0; i < 2 * HttpServer::kMostConnections; ++i) {
    silent.emplace_back(server_->port()).Say("GET ");
  }
  EXPECT_THAT(HttpGet(server_->port(), "/round"), EndsWith("3\n"));
}

// As a pod that holds connections open would, beside a probe of the node.
TEST_F(LiveHttpServer, ClosesConnectionsOfWhoHasMostBeforeThoseOfOthers) {
  ClientFrom slow("127.0.0.2", server_->port());
  slow.Say("GET /round HT");
  std::list<HttpClient> silent;
  for (std::size_t i = 0; i < 2 * HttpServer::kMostConnections; ++i) {
    silent.emplace_back(server_->port()).Say("GET ");
  }
  EXPECT_THAT(HttpGet(server_->port(), "/round"), EndsWith("3\n"));  // all others were let in
  slow.Say("TP/1.1\r\n\r\n");
  EXPECT_THAT(slow.Hear(), EndsWith("\r\n\r\n3\n"));
}

TEST(HttpServer, CountsAnIpv6NetworkAsOneClient) {
  using internal::CountedAs;
  EXPECT_EQ(CountedAs("2001:db8:0:1::2"), "2001:db8:0:1::/64");
  EXPECT_EQ(CountedAs("2001:db8:0:1:ffff:ffff:ffff:ffff"), "2001:db8:0:1::/64");
  EXPECT_EQ(CountedAs("2001:db8:0:2::2"), "2001:db8:0:2::/64");
  EXPECT_EQ(CountedAs("fe80::1%eth0"), "fe80::/64");
  EXPECT_EQ(CountedAs("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(CountedAs("::ffff:192.0.2.1"), "::ffff:192.0.2.1");
}

TEST(HttpServer, TurnsNobodyAwayWhoWaitsToBeLetIn) {
  std::latch asked(1);
  std::latch all_there(1);
  const auto server = Must(HttpServer::Start("0", [&](std::string_view path) {
    if (path == "/slow") {
      asked.count_down();
      all_there.wait();
    }
    return Handle("/round");
  }));
  HttpClient first(server->port());
  first.Say("GET /slow HTTP/1.1\r\n\r\n");
  asked.wait();
  std::list<HttpClient> waiting;
  for (int i = 0; i < 60; ++i) {
    waiting.emplace_back(server->port()).Say("GET /round HTTP/1.1\r\n\r\n");
  }
  all_there.count_down();
  for (HttpClient& client : waiting) EXPECT_THAT(client.Hear(), EndsWith("3\n"));
}

TEST_F(LiveHttpServer, ClosesAConnectionThatTakesTooLong) {
  HttpClient client(server_->port());
  client.Say("GET /round");
  EXPECT_THAT(client.Hear(), IsEmpty());
}

TEST_F(LiveHttpServer, RefusesAnAddressThatIsTaken) {
  EXPECT_THAT(HttpServer::Start(server_->place(), Handle),
              IsError(ErrorCode::kUnavailable, "Address already in use"));
}

TEST(HttpServer, ListensToThisMachineOnlyUnlessToldOtherwise) {
  EXPECT_THAT(Must(HttpServer::Start("0", Handle))->place(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(Must(HttpServer::Start(":0", Handle))->place(), StartsWith("127.0.0.1:"));
  EXPECT_THAT(Must(HttpServer::Start("0.0.0.0:0", Handle))->place(), StartsWith("0.0.0.0:"));
}

TEST(HttpServer, SaysWhatAnAddressLooksLike) {
  for (const std::string bad : {"", "localhost", "1:2:3", "127.0.0.1:99999", "127.0.0.1:"}) {
    EXPECT_THAT(HttpServer::Start(bad, Handle), IsError(ErrorCode::kInvalidArgument, "9090"))
        << bad;
  }
}

}  // namespace
}  // namespace fx
