#include "pki/tunnel.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/host_port.h"

namespace fx {
namespace {

constexpr std::size_t kLongestHead = 16 << 10;
constexpr std::size_t kLongestReason = 80;

std::string NameOf(const Proxy& proxy) {
  if (proxy.origin.empty()) return "proxy " + proxy.Place();
  return format("proxy {} (from {})", proxy.Place(), proxy.origin);
}

std::string Request(const Proxy& proxy, const std::string& target) {
  std::string head = format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\nUser-Agent: fx\r\n", target);
  if (!proxy.user.empty()) {
    head += format("Proxy-Authorization: {}\r\n", BasicAuthorization(proxy));
  }
  return head + "\r\n";
}

// Byte by byte: what follows the head belongs to whoever uses the tunnel.
Result<std::string> ReadHead(TcpConnection& connection, const Proxy& proxy, Deadline deadline) {
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    std::array<std::byte, 1> byte{};
    const auto received = connection.Receive(byte, deadline);
    if (!received && received.error().code() == ErrorCode::kDeadlineExceeded) {
      return Fail(ErrorCode::kUnavailable, NameOf(proxy) + " accepts connections but says nothing");
    }
    if (!received) return Fail(received.error());
    if (*received == 0) {
      return Fail(ErrorCode::kUnavailable, NameOf(proxy) + " closed the connection without a word");
    }
    head += static_cast<char>(byte[0]);
    if (head.size() > kLongestHead || (head.size() == 5 && head != "HTTP/")) {
      return Fail(ErrorCode::kUnavailable,
                  NameOf(proxy) + " does not speak HTTP; it is not an HTTP proxy");
    }
  }
  return head;
}

// "407 Proxy Authentication Required", as far as it can be printed.
std::string StatusOf(std::string_view head) {
  std::string_view line = head.substr(0, head.find("\r\n"));
  line.remove_prefix(std::min(line.find(' '), line.size()));
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  std::string text(line.substr(0, kLongestReason));
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// It asks who we are, but not in the one way we can say it.
bool WantsNoBasic(std::string_view head) {
  const std::string lower = Lower(head);
  return lower.find("proxy-authenticate:") != std::string::npos &&
         lower.find("proxy-authenticate: basic") == std::string::npos;
}

Error WhoAreYou(std::string_view head, const Proxy& proxy) {
  const Error error(ErrorCode::kUnauthenticated,
                    format("{} wants to know who asks ({})", NameOf(proxy), StatusOf(head)));
  if (WantsNoBasic(head)) {
    return Error(ErrorCode::kUnauthenticated,
                 error.message() + ", and does not take a user and a password (Basic)")
        .Hint(
            "ask for this machine to be let through without, or run a local proxy that logs on "
            "for it, such as cntlm");
  }
  if (proxy.user.empty()) {
    return Error(error).Hint("give proxy_user and proxy_password_file in site.yaml");
  }
  return Error(ErrorCode::kUnauthenticated,
               format("{} does not accept the user {} with the password given ({})", NameOf(proxy),
                      proxy.user, StatusOf(head)))
      .Hint(
          "correct proxy_user and proxy_password_file in site.yaml; fx does not try again, lest "
          "the account be locked");
}

std::optional<int> CodeOf(const std::string& status) {
  int code = 0;
  const auto read = std::from_chars(status.data(), status.data() + status.size(), code);
  if (read.ec != std::errc() || read.ptr != status.data() + 3) return std::nullopt;
  return code;
}

}  // namespace

Status JudgeProxyAnswer(std::string_view head, const Proxy& proxy, const std::string& target) {
  const std::string status = StatusOf(head);
  const auto code = CodeOf(status);
  if (!head.starts_with("HTTP/1.") || !code) {
    return Fail(ErrorCode::kUnavailable,
                NameOf(proxy) + " does not speak HTTP; it is not an HTTP proxy");
  }
  if (*code >= 200 && *code < 300) return Ok();
  if (*code == 407) return Fail(WhoAreYou(head, proxy));
  if (*code >= 500) {
    return Fail(Error(ErrorCode::kUnavailable,
                      format("{} cannot reach {} ({})", NameOf(proxy), target, status))
                    .Hint("the aggregator is not running, or the proxy cannot resolve its name or "
                          "may not connect to it"));
  }
  return Fail(
      Error(ErrorCode::kUnavailable,
            format("{} does not let connections to {} through ({})", NameOf(proxy), target, status))
          .Hint(format("ask for CONNECT to {} to be allowed; many proxies allow it to port "
                       "443 only",
                       target)));
}

Result<TcpConnection> OpenTunnel(const Proxy& proxy, const std::string& host, std::uint16_t port,
                                 Deadline deadline) {
  auto opened = TcpConnection::Open(proxy.host, proxy.port, deadline, Callee::kProxy);
  if (!opened) {
    return Fail(Error(opened.error().code(), "proxy " + opened.error().message())
                    .Hint(opened.error().hint()));
  }
  const std::string target = HostAndPort(host, port);
  const std::string request = Request(proxy, target);
  TRY(opened->Send(AsBytes(request), deadline));
  const std::string head = TRY(ReadHead(*opened, proxy, deadline));
  TRY(JudgeProxyAnswer(head, proxy, target));
  return opened;
}

}  // namespace fx
