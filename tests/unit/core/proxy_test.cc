#include "core/base/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/host_port.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using testing::HasSubstr;
using testing::Not;

TEST(HostPort, ReadsNamesAddressesAndBrackets) {
  for (const auto& [text, host, port] :
       {std::tuple("aggregator.example.org:8443", "aggregator.example.org", 8443),
        std::tuple("10.0.0.1:1", "10.0.0.1", 1), std::tuple("[::]:65535", "::", 65535)}) {
    const auto place = ParseHostPort(text);
    ASSERT_THAT(place, IsOk());
    EXPECT_EQ(place->host, host);
    EXPECT_EQ(place->port, port);
    EXPECT_EQ(HostAndPort(place->host, place->port), text);
  }
}

TEST(HostPort, RefusesWhatIsNone) {
  EXPECT_THAT(ParseHostPort("host"), IsError(ErrorCode::kInvalidArgument, "has no port"));
  EXPECT_THAT(ParseHostPort("[::1]"), IsError(ErrorCode::kInvalidArgument, "has no port"));
  for (const char* text : {"host:", "host:0", "host:65536", "host:12x", "host:-1"}) {
    EXPECT_THAT(ParseHostPort(text), IsError(ErrorCode::kInvalidArgument, "from 1 to 65535"))
        << text;
  }
  for (const char* text : {":80", "a b:80", "a/b:80", "a@b:80", "a\r\nHost:80"}) {
    EXPECT_THAT(ParseHostPort(text), IsError(ErrorCode::kInvalidArgument, "names no host"));
  }
}

TEST(Proxy, IsReadFromAUrl) {
  const auto proxy = ParseProxy("http://proxy.example.org:3128/");
  ASSERT_THAT(proxy, IsOk());
  EXPECT_EQ(proxy->Place(), "proxy.example.org:3128");
  EXPECT_EQ(proxy->user, "");
  EXPECT_EQ(ParseProxy("HTTP://[fd00::1]:80")->Place(), "[fd00::1]:80");
  EXPECT_EQ(ParseProxy("proxy:8080")->host, "proxy");
}

TEST(Proxy, TakesUserAndPasswordWithTheirEscapes) {
  const auto proxy = ParseProxy("http://DOMAIN%5cann:p%40ss:w0rd%@proxy:3128");
  ASSERT_THAT(proxy, IsOk());
  EXPECT_EQ(proxy->user, "DOMAIN\\ann");
  EXPECT_EQ(proxy->password, "p@ss:w0rd%");
  EXPECT_EQ(proxy->Place(), "proxy:3128");
}

TEST(Proxy, SaysWhichFormsItDoesNotSpeak) {
  EXPECT_THAT(ParseProxy("https://proxy:3129"),
              IsError(ErrorCode::kInvalidArgument, "is one for https://"));
  EXPECT_THAT(ParseProxy("socks5://proxy:1080"),
              IsError(ErrorCode::kInvalidArgument, "expected http://HOST:PORT"));
  EXPECT_THAT(ParseProxy("http://proxy"), IsError(ErrorCode::kInvalidArgument, "has no port"));
}

TEST(Proxy, NeverShowsAPasswordInAnError) {
  for (const char* url : {"http://ann:hush@proxy", "https://ann:hush@proxy:1", "ann:hush@:80",
                          "http://ann:hush@pro xy:80", "http://ann:hush", "ftp://ann:hush",
                          "ann:hush://x@proxy:80"}) {
    const auto proxy = ParseProxy(url);
    ASSERT_FALSE(proxy);
    EXPECT_THAT(proxy.error().Render(), Not(HasSubstr("hush")));
  }
}

TEST(Proxy, TellsItsUserAsRfc7617Has) {
  // RFC 7617, section 2.
  EXPECT_EQ(BasicAuthorization({.host = "", .user = "Aladdin", .password = "open sesame"}),
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(BasicAuthorization({.host = "", .user = "a", .password = "b"}), "Basic YTpi");
  EXPECT_EQ(BasicAuthorization({.host = "", .user = "a", .password = "bc"}), "Basic YTpiYw==");
  EXPECT_EQ(BasicAuthorization({.host = "", .user = "ab", .password = "\xFF\xFE"}),
            "Basic YWI6//4=");
}

TEST(NoProxy, NamesHostsAndWhatIsBelowThem) {
  const char* const list = "localhost, .example.org,*.inner.net 10.1.2.3";
  for (const char* host : {"localhost", "a.example.org", "example.org", "A.B.Example.ORG",
                           "x.inner.net", "10.1.2.3"}) {
    EXPECT_TRUE(GoesWithoutProxy(list, host)) << host;
  }
  for (const char* host : {"local", "badexample.org", "example.org.evil", "10.1.2.30", ""}) {
    EXPECT_FALSE(GoesWithoutProxy(list, host)) << host;
  }
  EXPECT_TRUE(GoesWithoutProxy("*", "anything"));
  EXPECT_FALSE(GoesWithoutProxy("", "anything"));
  EXPECT_FALSE(GoesWithoutProxy(",,", "anything"));
}

}  // namespace
}  // namespace fx
