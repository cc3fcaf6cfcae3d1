// The door connections come in by: binds the port, accepts, and hands over what may stay.
//
// gRPC could listen by itself, but its listener (1.51) ends for good at the first connection for
// which the process has no file descriptor left, and anybody who reaches the port can bring that
// about. This one turns connections away while some are still left for the files of those inside.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/base/error.h"

namespace fx::aggregator {

// Listens from Open on; accepts from Start until Stop or destruction, on a thread of its own.
class Listener {
 public:
  // File descriptors that connections may not take: the journal, spool files, models, logs.
  static constexpr int kReservedFiles = 256;

  // `address` is an IP address, IPv6 in brackets; "[::]" is every interface, in both protocols.
  // Port 0 is any free one. Refuses, with words for an administrator, a port that is taken or not
  // allowed.
  static Result<std::unique_ptr<Listener>> Open(const std::string& address, std::uint16_t port);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const { return port_; }

  // `take` is given connected sockets, which it then owns. Once.
  void Start(std::function<void(int)> take);
  void Stop();

 private:
  explicit Listener(int socket);
  void Accept(const std::stop_token& stop);
  void AcceptOne(const std::stop_token& stop);

  int socket_;
  int stopped_;  // an eventfd that wakes the thread
  int spare_;    // given up for a moment when even accept finds no descriptor
  std::uint16_t port_ = 0;
  std::function<void(int)> take_;
  std::jthread thread_;
};

// The most connections the process can hold at once, as the limit on its open files stands.
int MostConnections();

// Raises that limit as far as this user may. Often it is 1,024 to begin with, for the sake of old
// programs.
void RaiseConnectionLimit();

}  // namespace fx::aggregator
