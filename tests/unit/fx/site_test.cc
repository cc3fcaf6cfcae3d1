// Which proxy an environment means.
#include "fx/collaborator/site.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using test::IsError;

// "proxy:port from where" for a host, in an environment; "" for none.
std::string ProxyIn(const std::map<std::string, std::string>& environment,
                    const std::string& host = "aggregator.example.org") {
  const auto proxy = test::Must(ProxyOfEnvironment(
      [&](const char* name) -> std::optional<std::string> {
        const auto found = environment.find(name);
        if (found == environment.end()) return std::nullopt;
        return found->second;
      },
      host));
  return proxy ? proxy->Place() + " from " + proxy->origin : "";
}

TEST(ProxyOfEnvironment, IsTheFirstOfTheNamesPeopleUse) {
  EXPECT_EQ(ProxyIn({}), "");
  EXPECT_EQ(ProxyIn({{"https_proxy", "http://a:1"}}),
            "a:1 from the environment variable https_proxy");
  EXPECT_EQ(ProxyIn({{"HTTPS_PROXY", "http://a:1"}, {"http_proxy", "http://b:2"}}),
            "a:1 from the environment variable HTTPS_PROXY");
  EXPECT_EQ(ProxyIn({{"grpc_proxy", "http://c:3"}, {"https_proxy", "http://a:1"}}),
            "c:3 from the environment variable grpc_proxy");
}

TEST(ProxyOfEnvironment, IsNotForHostsThatAreListedNorForThisMachine) {
  const std::string proxy = "http://a:1";
  EXPECT_EQ(ProxyIn({{"https_proxy", proxy}, {"no_proxy", ".example.org"}}), "");
  EXPECT_EQ(ProxyIn({{"https_proxy", proxy}, {"NO_PROXY", "other.org,example.org"}}), "");
  EXPECT_NE(ProxyIn({{"https_proxy", proxy}, {"no_proxy", "other.org"}}), "");
  for (const char* host : {"localhost", "127.0.0.1", "::1"}) {
    EXPECT_EQ(ProxyIn({{"https_proxy", proxy}}, host), "") << host;
  }
}

TEST(ProxyOfEnvironment, ThatMakesNoSenseIsNamed) {
  const auto proxy = ProxyOfEnvironment(
      [](const char* name) -> std::optional<std::string> {
        if (std::string(name) != "https_proxy") return std::nullopt;
        return "socks5://a:1";
      },
      "aggregator.example.org");
  EXPECT_THAT(proxy, IsError(ErrorCode::kInvalidArgument, "the environment variable https_proxy"));
}

}  // namespace
}  // namespace fx
