// A TCP connection with a deadline, whose failures say what they mean for the person who has to
// find the firewall.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/base/error.h"

namespace fx {

using Deadline = std::chrono::steady_clock::time_point;

// Who is expected to answer, for what people are told to do if nobody does.
enum class Callee { kAggregator, kProxy };

class TcpConnection {
 public:
  // Resolves `host` and tries its addresses in turn. kUnavailable, in words: the name does not
  // resolve, the connection is refused, or there is no answer before the deadline. Resolving may
  // take longer than the deadline: the C library sets its own.
  static Result<TcpConnection> Open(const std::string& host, std::uint16_t port, Deadline deadline,
                                    Callee callee = Callee::kAggregator);
  TcpConnection(TcpConnection&& other) noexcept;
  TcpConnection& operator=(TcpConnection&&) = delete;
  ~TcpConnection();

  Status Send(std::span<const std::byte> bytes, Deadline deadline);
  // At least one byte; 0 once the peer has closed. kDeadlineExceeded if none came in time.
  Result<std::size_t> Receive(std::span<std::byte> into, Deadline deadline);

 private:
  TcpConnection(int fd, std::string place) : fd_(fd), place_(std::move(place)) {}
  int fd_;
  std::string place_;
};

}  // namespace fx
