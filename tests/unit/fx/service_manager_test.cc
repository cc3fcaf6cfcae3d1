#include "fx/service/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>

#include "core/base/file.h"
#include "core/base/format.h"

namespace fx {
namespace {

using testing::MatchesRegex;

// systemd's end.
class Listening {
 public:
  explicit Listening(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
  }
  ~Listening() { close(fd_); }

  // The next message, or "" if there is none.
  std::string Next() const {
    std::array<char, 1024> bytes{};
    const ssize_t got = recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return got < 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(got));
  }

 private:
  int fd_;
};

class ServiceManagerTest : public testing::TestWithParam<bool> {
 protected:
  const TempDir folder_;
  const std::string name_ =
      GetParam() ? format("@fx-test-{}", getpid()) : (folder_.path() / "notify").string();
};

TEST_P(ServiceManagerTest, HearsWhatTheServiceIsDoing) {
  const Listening systemd(name_);
  ServiceManager manager(name_);
  manager.Ready();
  EXPECT_EQ(systemd.Next(), "READY=1");
  manager.Reloading();
  EXPECT_THAT(systemd.Next(), MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
  manager.Reloaded();
  EXPECT_EQ(systemd.Next(), "READY=1");
  manager.Stopping();
  EXPECT_EQ(systemd.Next(), "STOPPING=1");
}

TEST_P(ServiceManagerTest, HearsAStatusOnce) {
  const Listening systemd(name_);
  ServiceManager manager(name_);
  manager.Status("round 1");
  manager.Status("round 1");
  manager.Status("round 2\nREADY=1");
  EXPECT_EQ(systemd.Next(), "STATUS=round 1");
  EXPECT_EQ(systemd.Next(), "STATUS=round 2 READY=1");
  EXPECT_EQ(systemd.Next(), "");
}

INSTANTIATE_TEST_SUITE_P(OverAFileAndAnAbstractName, ServiceManagerTest, testing::Bool());

TEST(ServiceManager, SaysNothingWhereNobodyListens) {
  for (const std::string& name :
       {std::string(), std::string("/nowhere/at/all"), std::string("@"), std::string(500, 'x')}) {
    ServiceManager manager(name);
    manager.Ready();
    manager.Status("round 1");
  }
}

}  // namespace
}  // namespace fx
