#include "tests/support/fault_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace fx::test {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kHeldAtMost = 1U << 20;  // of one direction; then the sender has to wait
constexpr std::size_t kBlock = 64U << 10;
constexpr std::uint64_t kPiecesASecond = 50;  // of a throttled connection

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  FX_CHECK(fd >= 0);
  return fd;
}

void Prepare(int fd) {
  const int on = 1;
  FX_CHECK(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  FX_CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

// The peer sees a reset, not an end.
void Reset(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  static_cast<void>(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
  close(fd);
}

}  // namespace

Fault CutAfter(Direction direction, std::uint64_t bytes) {
  return {.direction = direction, .after = bytes};
}
Fault MuteAfter(Direction direction, std::uint64_t bytes) {
  return {.direction = direction, .after = bytes, .cut = false, .mute_up = true, .mute_down = true};
}
Fault MuteDownAfter(Direction direction, std::uint64_t bytes) {
  return {.direction = direction, .after = bytes, .cut = false, .mute_down = true};
}

// One direction of a connection.
struct FaultProxy::Pipe {
  struct Block {
    Clock::time_point due;
    std::string bytes;
  };

  bool may_read() const { return !ended && held_bytes < kHeldAtMost; }
  bool has_more() const { return !held.empty() || (ended && !passed_end); }
  Clock::time_point due() const {
    return held.empty() ? free_at : std::max(free_at, held.front().due);
  }

  Direction direction = Direction::kUp;
  int from = -1, to = -1;
  milliseconds delay{};
  std::uint64_t bytes_per_second = 0;
  std::deque<Block> held;
  std::size_t held_bytes = 0;
  bool ended = false;       // `from` sends no more
  bool passed_end = false;  // and `to` knows
  bool muted = false;
  Clock::time_point free_at{};  // a throttled connection forwards nothing before
};

struct FaultProxy::Connection {
  Connection(int client, int server, const Treatment& how) : overtaken(how.overtaken) {
    down.direction = Direction::kDown;
    up.from = down.to = client;
    up.to = down.from = server;
    up.muted = down.muted = how.mute || how.overtaken;
    up.delay = down.delay = milliseconds(how.delay_ms);
    up.bytes_per_second = down.bytes_per_second = how.bytes_per_second;
  }
  ~Connection() {
    Reset(up.from);
    Reset(up.to);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool overtaken;
  Pipe up, down;
  bool over = false;  // to be removed
};

FaultProxy::FaultProxy(std::uint16_t server_port)
    : listener_(Socket()),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      server_port_(server_port) {
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof address;
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  FX_CHECK(wake_ >= 0 && bind(listener_, name, length) == 0 && listen(listener_, SOMAXCONN) == 0 &&
           getsockname(listener_, name, &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

FaultProxy::~FaultProxy() {
  thread_.request_stop();
  Wake();
  thread_.join();
  open_.clear();
  close(listener_);
  close(wake_);
}

void FaultProxy::Wake() const {
  const std::uint64_t one = 1;
  static_cast<void>(write(wake_, &one, sizeof one) == sizeof one);  // full: it is awake
}

void FaultProxy::Play(std::vector<Fault> faults) {
  const std::lock_guard lock(mutex_);
  faults_.assign(faults.begin(), faults.end());
  counted_ = {};
}

void FaultProxy::WaitUntilPlayed() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return faults_.empty(); });
}

void FaultProxy::WaitForFaults(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return happened_ >= count; });
}

void FaultProxy::Treat(std::vector<Treatment> next, bool and_all_after) {
  const std::lock_guard lock(mutex_);
  next_.assign(next.begin(), next.end());
  otherwise_ = and_all_after ? next.back() : Treatment();
}

void FaultProxy::CutAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : open_) connection->over = true;
  Wake();
}

void FaultProxy::Release() {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : open_) connection->up.muted = connection->down.muted = false;
  Wake();
}

void FaultProxy::WaitForConnections(std::size_t count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return accepted_ >= count; });
}

std::size_t FaultProxy::connections() {
  const std::lock_guard lock(mutex_);
  return accepted_;
}

std::uint64_t FaultProxy::forwarded(Direction direction) {
  const std::lock_guard lock(mutex_);
  return forwarded_[static_cast<std::size_t>(direction)];
}

void FaultProxy::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (PollOnce(lock)) Accept();
    for (const auto& connection : open_) {
      for (Pipe* const pipe : {&connection->up, &connection->down}) {
        if (pipe->may_read()) Read(*pipe);
        if (!connection->over) Forward(*connection, *pipe);
      }
    }
    std::erase_if(open_, [](const auto& connection) { return connection->over; });
  }
}

// Waits until there may be something to do. True: somebody wants to connect.
bool FaultProxy::PollOnce(std::unique_lock<std::mutex>& lock) {
  std::vector<pollfd> fds = {{.fd = wake_, .events = POLLIN, .revents = 0},
                             {.fd = listener_, .events = POLLIN, .revents = 0}};
  auto wait = milliseconds(-1);
  const auto now = Clock::now();
  for (const auto& connection : open_) {
    for (const Pipe* const pipe : {&connection->up, &connection->down}) {
      if (pipe->may_read()) fds.push_back({.fd = pipe->from, .events = POLLIN, .revents = 0});
      if (pipe->muted || !pipe->has_more()) continue;
      if (pipe->due() <= now) {
        fds.push_back({.fd = pipe->to, .events = POLLOUT, .revents = 0});
        continue;
      }
      const auto left = std::chrono::ceil<milliseconds>(pipe->due() - now);
      wait = wait.count() < 0 ? left : std::min(wait, left);
    }
  }
  lock.unlock();
  static_cast<void>(poll(fds.data(), fds.size(), static_cast<int>(wait.count())));
  lock.lock();
  std::uint64_t ignored = 0;
  static_cast<void>(read(wake_, &ignored, sizeof ignored) > 0);
  return (fds[1].revents & POLLIN) != 0;
}

void FaultProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  Treatment treatment = otherwise_;
  if (!next_.empty()) {
    treatment = next_.front();
    next_.pop_front();
  }
  ++accepted_;
  changed_.notify_all();
  const int server = Socket();
  const sockaddr_in address = Loopback(server_port_);
  const auto* const name = reinterpret_cast<const sockaddr*>(&address);
  if (treatment.refuse || connect(server, name, sizeof address) != 0) {
    Reset(client);
    Reset(server);
    return;
  }
  Prepare(client);
  Prepare(server);
  open_.push_back(std::make_unique<Connection>(client, server, treatment));
}

void FaultProxy::Read(Pipe& pipe) {
  std::array<char, kBlock> block;
  while (pipe.may_read()) {
    const ssize_t n = recv(pipe.from, block.data(), block.size(), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {  // a reset is passed on as an end
      pipe.ended = true;
      return;
    }
    const auto size = static_cast<std::size_t>(n);
    pipe.held.push_back(
        {.due = Clock::now() + pipe.delay, .bytes = std::string(block.data(), size)});
    pipe.held_bytes += size;
  }
}

void FaultProxy::Forward(Connection& connection, Pipe& pipe) {
  while (!pipe.muted && !pipe.held.empty() && pipe.due() <= Clock::now()) {
    if (FireIfDue(connection, pipe)) return;
    const std::size_t n = Write(connection, pipe);
    if (n == 0) return;
    Overtake(connection);
    if (FireIfDue(connection, pipe)) return;
  }
  if (pipe.muted || !pipe.held.empty() || !pipe.ended || pipe.passed_end) return;
  pipe.passed_end = true;
  shutdown(pipe.to, SHUT_WR);
  connection.over = connection.up.passed_end && connection.down.passed_end;
}

// As much as may go and the receiver takes; none if it takes nothing now.
std::size_t FaultProxy::Write(Connection& connection, Pipe& pipe) {
  std::string& bytes = pipe.held.front().bytes;
  std::uint64_t limit = bytes.size();
  const std::uint64_t rate = pipe.bytes_per_second;
  if (rate > 0) limit = std::min(limit, rate / kPiecesASecond + 1);
  if (!faults_.empty() && faults_.front().direction == pipe.direction) {
    limit = std::min(limit, faults_.front().after - counted(pipe.direction));
  }
  const ssize_t sent = send(pipe.to, bytes.data(), static_cast<std::size_t>(limit), MSG_NOSIGNAL);
  if (sent < 0) {
    connection.over = errno != EAGAIN && errno != EINTR;
    return 0;
  }
  const auto n = static_cast<std::size_t>(sent);
  bytes.erase(0, n);
  if (bytes.empty()) pipe.held.pop_front();
  pipe.held_bytes -= n;
  if (rate > 0) pipe.free_at = Clock::now() + milliseconds(n * 1000 / rate);
  forwarded_[static_cast<std::size_t>(pipe.direction)] += n;
  counted(pipe.direction) += n;
  return n;
}

// Those that came before this one and waited for it.
void FaultProxy::Overtake(const Connection& connection) {
  for (const auto& earlier : open_) {
    if (earlier.get() == &connection) return;
    if (std::exchange(earlier->overtaken, false)) {
      earlier->up.muted = earlier->down.muted = false;
      Wake();
    }
  }
}

bool FaultProxy::FireIfDue(Connection& connection, const Pipe& pipe) {
  if (faults_.empty()) return false;
  const Fault fault = faults_.front();
  if (fault.direction != pipe.direction || counted(pipe.direction) < fault.after) return false;
  faults_.pop_front();
  ++happened_;
  counted_ = {};
  changed_.notify_all();
  if (fault.cut) connection.over = true;
  if (fault.mute_up) connection.up.muted = true;
  if (fault.mute_down) connection.down.muted = true;
  return true;
}

}  // namespace fx::test
