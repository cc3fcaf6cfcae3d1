#include "aggregator/server/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>

#include "core/base/file.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::aggregator {
namespace {

using test::IsError;
using test::Must;

// A socket that closes itself.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (fd_ >= 0) close(fd_);
  }
  bool connected() const { return connected_; }
  bool IsClosed() const {
    constexpr int kPatienceMs = 10'000;
    pollfd ready = {.fd = fd_, .events = POLLIN, .revents = 0};
    char byte = 0;
    return poll(&ready, 1, kPatienceMs) == 1 && recv(fd_, &byte, 1, 0) <= 0;
  }

 private:
  int fd_;
  bool connected_ = false;
};

// Keeps what it is given.
class Taken {
 public:
  ~Taken() {
    for (const int fd : fds_) close(fd);
  }
  void Take(int fd) {
    {
      const std::lock_guard lock(mutex_);
      fds_.push_back(fd);
    }
    changed_.notify_all();
  }
  void WaitFor(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return fds_.size() >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<int> fds_;
};

class ListenerTest : public testing::Test {
 protected:
  ListenerTest() {
    listener_->Start([this](int fd) { taken_.Take(fd); });
  }
  Taken taken_;
  std::unique_ptr<Listener> listener_ = Must(Listener::Open("127.0.0.1", 0));
};

TEST_F(ListenerTest, HandsOverWhoConnects) {
  const Client one(listener_->port());
  const Client two(listener_->port());
  taken_.WaitFor(2);
}

TEST_F(ListenerTest, SaysThatAPortIsTaken) {
  EXPECT_THAT(Listener::Open("127.0.0.1", listener_->port()),
              IsError(ErrorCode::kUnavailable, "is taken by another program on this machine"));
}

TEST_F(ListenerTest, TurnsAwayWhoWouldTakeTheLastDescriptorsAndServesAgainAfterwards) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few = {.rlim_cur = 128, .rlim_max = limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  {
    // The clients are of this process too, so that two descriptors go a connection.
    std::vector<Client> clients;
    while (Must(ListFolder("/proc/self/fd")).size() < 120) clients.emplace_back(listener_->port());
    EXPECT_TRUE(clients.back().IsClosed());
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  const Client after(listener_->port());
  EXPECT_TRUE(after.connected());
}

TEST(Listener, ListensOnEveryInterfaceInBothProtocols) {
  const auto listener = Must(Listener::Open("[::]", 0));
  Taken taken;
  listener->Start([&](int fd) { taken.Take(fd); });
  const Client client(listener->port());
  taken.WaitFor(1);
  listener->Stop();
}

TEST(Listener, RefusesAnAddressThatIsNotOfThisMachine) {
  EXPECT_THAT(Listener::Open("203.0.113.1", 0), IsError(ErrorCode::kUnavailable, "cannot listen"));
  EXPECT_THAT(Listener::Open("nowhere", 0), IsError(ErrorCode::kUnavailable, "cannot listen"));
}

}  // namespace
}  // namespace fx::aggregator
