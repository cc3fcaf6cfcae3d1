#include "fx/aggregator/admin_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOkAndHolds;
using test::Must;
using testing::Optional;

Result<std::string> Echo(const std::string& question) {
  return "you said " + question + "\nand I heard it\n";
}

class AdminSocketTest : public testing::Test {
 protected:
  std::unique_ptr<AdminSocket> Listen() {
    return Must(AdminSocket::Open(folder_.path(), Echo, last_word_));
  }

  TempDir folder_;
  const Path file_ = folder_.path() / "admin.sock";
  LastWord last_word_;
};

TEST_F(AdminSocketTest, AnswersOneAfterTheOther) {
  const auto socket = Listen();
  for (const std::string word : {"hello", "", "good bye"}) {
    EXPECT_THAT(AskAdmin(folder_.path(), word),
                IsOkAndHolds(Optional("you said " + word + "\nand I heard it\n")));
  }
}

TEST_F(AdminSocketTest, PassesOnWhyNot) {
  const auto refuse = [](const std::string&) -> Result<std::string> {
    return Fail(Error(ErrorCode::kAborted, "not now").Hint("later"));
  };
  const auto socket = Must(AdminSocket::Open(folder_.path(), refuse, last_word_));
  const auto answer = AskAdmin(folder_.path(), "hello");
  EXPECT_THAT(answer, IsError(ErrorCode::kAborted, "not now"));
  EXPECT_EQ(answer.error().hint(), "later");
}

TEST_F(AdminSocketTest, IsNobodyWhereNoneListens) {
  EXPECT_THAT(AskAdmin(folder_.path(), "hello"), IsOkAndHolds(std::nullopt));
  EXPECT_THAT(AskAdmin(folder_.path() / "nowhere", "hello"), IsOkAndHolds(std::nullopt));
  Listen().reset();
  EXPECT_FALSE(Exists(file_));
}

// A process that was killed leaves its socket behind.
TEST_F(AdminSocketTest, TakesThePlaceOfADeadOne) {
  const auto dead = Listen();
  const auto socket = Listen();
  EXPECT_THAT(AskAdmin(folder_.path(), "hello"), IsOkAndHolds(Optional(testing::_)));
}

TEST_F(AdminSocketTest, IsForItsUserAlone) {
  const auto socket = Listen();
  struct stat found {};
  ASSERT_EQ(stat(file_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

// Should the modes of folder and socket let another user in. Only root can be somebody else.
TEST_F(AdminSocketTest, DoesNotAnswerAnotherUser) {
  constexpr uid_t kNobody = 65534;
  const auto socket = Listen();
  ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
  ASSERT_EQ(chmod(file_.c_str(), 0666), 0);
  const pid_t other = fork();
  if (other == 0) {
    const bool is_other = setuid(kNobody) == 0;
    const auto answer = AskAdmin(folder_.path(), "hello");
    _exit(answer.has_value() == !is_other ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(other, &status, 0), other);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(AdminSocketTest, HangsUpOnWhoTalksTooMuch) {
  const auto socket = Listen();
  EXPECT_THAT(AskAdmin(folder_.path(), std::string(5000, 'x')),
              IsError(ErrorCode::kUnavailable, "did not answer"));
  EXPECT_THAT(AskAdmin(folder_.path(), std::string(1000, 'x')), IsOkAndHolds(Optional(testing::_)));
}

// The address of a socket has room for 107 bytes.
TEST_F(AdminSocketTest, LiesAsDeepAsItsFolder) {
  const Path deep = folder_.path() / std::string(100, 'a') / std::string(100, 'b');
  Must(MakeFolders(deep));
  const auto socket = Must(AdminSocket::Open(deep, Echo, last_word_));
  EXPECT_THAT(AskAdmin(deep, "hello"), IsOkAndHolds(Optional(testing::_)));
}

TEST_F(AdminSocketTest, TellsWhoWaitsForTheEndAtTheEnd) {
  auto socket = Listen();
  const AwaitedEnd first = Must(AskAdminAndAwaitEnd(folder_.path(), "stop")).value();
  const AwaitedEnd second = Must(AskAdminAndAwaitEnd(folder_.path(), "stop")).value();
  EXPECT_THAT(AskAdmin(folder_.path(), "hello"), IsOkAndHolds(Optional(testing::_)));
  std::stop_source gone;
  gone.request_stop();
  EXPECT_THAT(first.LastWord(gone.get_token()), IsError(ErrorCode::kCancelled, "stopped waiting"));
  auto heard = std::async(std::launch::async, [&] { return first.LastWord({}); });
  socket.reset();
  EXPECT_EQ(heard.wait_for(std::chrono::milliseconds(0)), std::future_status::timeout);
  last_word_.Say("paused");
  EXPECT_THAT(heard.get(), IsOkAndHolds("paused"));
  EXPECT_THAT(second.LastWord({}), IsOkAndHolds("paused"));
}

TEST_F(AdminSocketTest, LetsNobodyWaitForAnEndThatWasRefused) {
  const auto refuse = [](const std::string& question) -> Result<std::string> {
    return Fail(Error(ErrorCode::kAborted, "no " + question).Hint("later"));
  };
  EXPECT_THAT(AskAdminAndAwaitEnd(folder_.path(), "stop"), IsOkAndHolds(testing::Eq(std::nullopt)));
  const auto socket = Must(AdminSocket::Open(folder_.path(), refuse, last_word_));
  const auto end = AskAdminAndAwaitEnd(folder_.path(), "stop");
  EXPECT_THAT(end, IsError(ErrorCode::kAborted, "no stop"));
  EXPECT_EQ(end.error().hint(), "later");
}

TEST_F(AdminSocketTest, HasRoomForThoseWhoStillWait) {
  const auto socket = Listen();
  std::vector<AwaitedEnd> ends;
  for (int i = 0; i < 16; ++i) {
    ends.push_back(Must(AskAdminAndAwaitEnd(folder_.path(), "stop")).value());
  }
  EXPECT_THAT(AskAdminAndAwaitEnd(folder_.path(), "stop"),
              IsError(ErrorCode::kResourceExhausted, "too many wait"));
  ends.pop_back();
  EXPECT_TRUE(AskAdminAndAwaitEnd(folder_.path(), "stop").has_value());
}

// Each question waits in front of the door while another is answered, and who asks gives up.
TEST_F(AdminSocketTest, ForgetsAQuestionWhoseAskerHasGivenUp) {
  constexpr auto kShort = std::chrono::milliseconds(10);
  std::promise<void> busy;
  std::promise<void> go_on;
  std::vector<std::string> heard;
  const auto hear = [&](const std::string& question) -> Result<std::string> {
    heard.push_back(question);
    if (heard.size() > 1) return "done";
    busy.set_value();
    go_on.get_future().wait();
    return "done";
  };
  auto socket = Must(AdminSocket::Open(folder_.path(), hear, last_word_));
  auto first = std::async(std::launch::async, [&] { return AskAdmin(folder_.path(), "first"); });
  busy.get_future().wait();
  const auto cut_off = AskAdmin(folder_.path(), "cut-off", kShort);
  const auto stop = AskAdminAndAwaitEnd(folder_.path(), "stop", kShort);
  go_on.set_value();
  EXPECT_THAT(first.get(), IsOkAndHolds(Optional(testing::StrEq("done"))));
  EXPECT_THAT(AskAdmin(folder_.path(), "last"), IsOkAndHolds(Optional(testing::StrEq("done"))));
  socket.reset();  // its thread writes what it heard
  EXPECT_THAT(heard, testing::ElementsAre("first", "last"));
  EXPECT_THAT(cut_off, IsError(ErrorCode::kUnavailable, "did not answer"));
  EXPECT_THAT(cut_off.error().hint(), testing::HasSubstr("may still take effect"));
  EXPECT_THAT(stop, IsError(ErrorCode::kUnavailable, "did not answer"));
}

// Another process that listens, until it is killed.
class AdminSocketOfAnother : public AdminSocketTest {
 protected:
  static constexpr auto kPatience = std::chrono::milliseconds(300);

  AdminSocketOfAnother() {
    std::array<int, 2> ready{};
    EXPECT_EQ(::pipe(ready.data()), 0);
    process_ = ::fork();
    if (process_ == 0) {
      const auto socket = Listen();
      const bool said = ::write(ready[1], "x", 1) == 1;
      while (said) ::pause();
      ::_exit(1);
    }
    char x = 0;
    ::close(ready[1]);
    EXPECT_EQ(::read(ready[0], &x, 1), 1);
    ::close(ready[0]);
  }
  ~AdminSocketOfAnother() override { Kill(); }

  void Kill() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
  }
  void Suspend() const {
    ASSERT_EQ(::kill(process_, SIGSTOP), 0);
    ASSERT_EQ(::waitpid(process_, nullptr, WUNTRACED), process_);
  }
  void AllowDescriptors(rlim_t most) const {
    rlimit limit{};
    ASSERT_EQ(::prlimit(process_, RLIMIT_NOFILE, nullptr, &limit), 0);
    limit.rlim_cur = most;
    ASSERT_EQ(::prlimit(process_, RLIMIT_NOFILE, &limit, nullptr), 0);
  }
  std::chrono::nanoseconds Worked() const {
    clockid_t clock{};
    timespec worked{};
    EXPECT_EQ(::clock_getcpuclockid(process_, &clock), 0);
    EXPECT_EQ(::clock_gettime(clock, &worked), 0);
    return std::chrono::seconds(worked.tv_sec) + std::chrono::nanoseconds(worked.tv_nsec);
  }
  Result<std::optional<std::string>> Ask() const {
    return AskAdmin(folder_.path(), "hello", kPatience);
  }

  pid_t process_ = -1;
};

TEST_F(AdminSocketOfAnother, WhoWaitsForItsEndNoticesItsDeath) {
  const AwaitedEnd end = Must(AskAdminAndAwaitEnd(folder_.path(), "stop")).value();
  Kill();
  EXPECT_THAT(end.LastWord({}), IsOkAndHolds(""));
}

TEST_F(AdminSocketOfAnother, ASuspendedProcessIsNotWaitedForForEver) {
  Suspend();
  EXPECT_THAT(Ask(),
              IsError(ErrorCode::kUnavailable, "did not answer on its admin socket within 0.3 s"));
  const auto end = AskAdminAndAwaitEnd(folder_.path(), "stop", kPatience);
  EXPECT_THAT(end, IsError(ErrorCode::kUnavailable, "within 0.3 s"));
}

// Even where the queue at its door is full, so that there is no connection.
TEST_F(AdminSocketOfAnother, ASuspendedProcessWithAQueueIsNotWaitedForForEver) {
  Suspend();
  const Path before = std::filesystem::current_path();  // an address has room for 107 bytes
  std::filesystem::current_path(folder_.path());
  const sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "admin.sock"};
  std::vector<int> queue;
  do {
    queue.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  } while (::connect(queue.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
           0);
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_THAT(Ask(), IsError(ErrorCode::kUnavailable, "within 0.3 s"));
  for (const int one : queue) ::close(one);
  std::filesystem::current_path(before);
}

TEST_F(AdminSocketOfAnother, WithoutADescriptorItRests) {
  constexpr rlim_t kPolled = 2;  // with fewer, poll fails
  AllowDescriptors(kPolled);
  EXPECT_THAT(Ask(), IsError(ErrorCode::kUnavailable, "did not answer"));
  EXPECT_LT(Worked(), kPatience / 3);
  AllowDescriptors(1000);
  EXPECT_THAT(AskAdmin(folder_.path(), "hello"), IsOkAndHolds(Optional(testing::_)));
}

}  // namespace
}  // namespace fx
