// The proxy of connect_proxy.h as a program, for tests that are scripts: says its port, serves
// until its input ends, and then says how many tunnels there were.
//
//   connect_proxy SERVER_PORT [USER:PASSWORD]
#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>

#include "core/base/proxy.h"
#include "tests/support/connect_proxy.h"

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  std::uint16_t server = 0;
  const std::string_view text = words.size() > 1 ? words[1] : "";
  std::from_chars(text.data(), text.data() + text.size(), server);
  fx::test::ConnectRules rules;
  if (words.size() > 2) {
    const std::string_view who = words[2];
    const std::size_t colon = who.find(':');
    rules.authorization = fx::BasicAuthorization({.host = "",
                                                  .port = 0,
                                                  .user = std::string(who.substr(0, colon)),
                                                  .password = std::string(who.substr(colon + 1))});
  }
  const fx::test::ConnectProxy proxy(server, rules);
  std::printf("%d\n", proxy.port());
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  std::printf("%zu tunnels\n", proxy.tunnels());
  return 0;
}
