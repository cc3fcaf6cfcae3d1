// A TCP proxy on loopback that does to connections what networks do, at bytes a script names.
//
//   FaultProxy proxy(aggregator.port());
//   ... a client connects to proxy.port() ...
//   proxy.Play({CutAfter(Direction::kUp, 1'000'000), CutAfter(Direction::kUp, 0)});
//   proxy.WaitUntilPlayed();
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace fx::test {

enum class Direction { kUp, kDown };  // kUp: from who connects to the server

// Happens to one connection, in the middle of it: the one that forwards the last of `after` bytes
// in `direction`, or the first byte if it is 0. Bytes of all connections count, from the fault
// before; to the byte, whatever the operating system delivers at once.
struct Fault {
  Direction direction = Direction::kUp;
  std::uint64_t after = 0;
  bool cut = true;  // resets both sides; or else it goes silent:
  bool mute_up = false;
  bool mute_down = false;
};
Fault CutAfter(Direction direction, std::uint64_t bytes);
Fault MuteAfter(Direction direction, std::uint64_t bytes);      // both ways
Fault MuteDownAfter(Direction direction, std::uint64_t bytes);  // what comes up still arrives

// What a connection is like from its beginning.
struct Treatment {
  bool refuse = false;                 // is reset at once
  bool mute = false;                   // is accepted, and nothing is forwarded until Release
  bool overtaken = false;              // the same, until a later connection has forwarded something
  int delay_ms = 0;                    // of every byte, each way
  std::uint64_t bytes_per_second = 0;  // each way; 0: no limit
};

// Starts no thread but one of its own. All functions may be called from any thread.
class FaultProxy {
 public:
  explicit FaultProxy(std::uint16_t server_port);
  ~FaultProxy();  // cuts all connections
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  std::uint16_t port() const { return port_; }

  // The faults to come, one after the other; replaces those that have not happened. Counting begins
  // now.
  void Play(std::vector<Fault> faults);
  void WaitUntilPlayed();
  void WaitForFaults(std::size_t count);  // that have happened so far, in all

  // One each for the next connections; those after them are like the last, if `and_all_after`, or
  // plain.
  void Treat(std::vector<Treatment> next, bool and_all_after = false);

  void CutAll();   // the connections there are
  void Release();  // what was muted so far goes on; what had come meanwhile was not lost

  void WaitForConnections(std::size_t count);  // accepted so far, in all
  std::size_t connections();
  // Bytes given to the receiver's socket, of all connections.
  std::uint64_t forwarded(Direction direction);

 private:
  struct Pipe;
  struct Connection;

  void Run(const std::stop_token& stop);
  bool PollOnce(std::unique_lock<std::mutex>& lock);
  void Accept();
  void Read(Pipe& pipe);
  void Forward(Connection& connection, Pipe& pipe);
  std::size_t Write(Connection& connection, Pipe& pipe);
  void Overtake(const Connection& connection);
  bool FireIfDue(Connection& connection, const Pipe& pipe);
  std::uint64_t& counted(Direction direction) {
    return counted_[static_cast<std::size_t>(direction)];
  }
  void Wake() const;

  int listener_ = -1;
  int wake_ = -1;
  std::uint16_t port_ = 0;
  const std::uint16_t server_port_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Connection>> open_;
  std::size_t accepted_ = 0;
  std::array<std::uint64_t, 2> forwarded_{};  // by direction
  std::deque<Fault> faults_;
  std::size_t happened_ = 0;
  std::array<std::uint64_t, 2> counted_{};  // by direction, since the last fault
  std::deque<Treatment> next_;
  Treatment otherwise_;
  std::jthread thread_;  // last: it uses everything else
};

}  // namespace fx::test
