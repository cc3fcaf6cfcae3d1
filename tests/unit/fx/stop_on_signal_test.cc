#include "fx/stop_on_signal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <future>
#include <stop_token>

namespace fx {
namespace {

TEST(StopOnSignal, ASignalRequestsAStopInsteadOfEndingTheProcess) {
  for (const int number : {SIGINT, SIGTERM}) {
    const StopOnSignal signals;
    EXPECT_FALSE(signals.token().stop_requested());
    std::promise<void> stopped;
    const std::stop_callback tell(signals.token(), [&] { stopped.set_value(); });
    ASSERT_EQ(kill(getpid(), number), 0);
    stopped.get_future().wait();
    EXPECT_TRUE(signals.token().stop_requested());
  }
}

TEST(StopOnSignal, AHangUpReadsAgainAndDoesNotStop) {
  StopOnSignal signals;
  std::promise<void> reread;
  const StopOnSignal::OnHangUp on_hang_up(signals, [&] { reread.set_value(); });
  ASSERT_EQ(kill(getpid(), SIGHUP), 0);
  reread.get_future().wait();
  EXPECT_FALSE(signals.token().stop_requested());
}

TEST(StopOnSignal, AHangUpBeforeThereIsAnythingToReadDoesNothing) {
  StopOnSignal signals;
  int before = 0;
  {
    const StopOnSignal::OnHangUp gone(signals, [&] { ++before; });
  }
  ASSERT_EQ(kill(getpid(), SIGHUP), 0);
  std::promise<void> stopped;  // signals are taken one after the other
  const std::stop_callback tell(signals.token(), [&] { stopped.set_value(); });
  ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  stopped.get_future().wait();
  EXPECT_EQ(before, 0);
}

// Each in a process of its own, which it ends.
class StopOnSignalDeath : public testing::Test {
 protected:
  StopOnSignalDeath() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(StopOnSignalDeath, AProcessThatIsTooBusyToStopIsEnded) {
  EXPECT_EXIT(
      {
        const StopOnSignal signals(std::chrono::milliseconds(20));
        kill(getpid(), SIGTERM);
        for (;;) pause();
      },
      testing::ExitedWithCode(3), "still busy; ending at once");
}

// Standard error becomes a pipe that is full and that nobody reads.
void StopReadingErrors() {
  int ends[2];
  if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) _exit(1);
  while (write(ends[1], "x", 1) == 1) continue;
  if (fcntl(ends[1], F_SETFL, 0) != 0 || dup2(ends[1], STDERR_FILENO) < 0) _exit(1);
}

TEST_F(StopOnSignalDeath, AProcessWhoseErrorsNobodyReadsIsEndedToo) {
  EXPECT_EXIT(
      {
        const StopOnSignal signals(std::chrono::milliseconds(20));
        StopReadingErrors();
        kill(getpid(), SIGTERM);
        for (;;) pause();
      },
      testing::ExitedWithCode(3), "");
}

TEST_F(StopOnSignalDeath, ASecondSignalEndsItAtOnce) {
  EXPECT_EXIT(
      {
        const StopOnSignal signals(std::chrono::hours(1));
        const std::stop_callback again(signals.token(), [] { kill(getpid(), SIGINT); });
        kill(getpid(), SIGTERM);
        for (;;) pause();
      },
      testing::ExitedWithCode(128 + SIGINT), "stopping");
}

// It is given a terminal of its own, which is then closed.
[[noreturn]] void LoseTheTerminal() {
  int master = -1;
  int terminal = -1;
  setsid();
  if (openpty(&master, &terminal, nullptr, nullptr, nullptr) != 0) _exit(1);
  if (ioctl(terminal, TIOCSCTTY, 0) != 0) _exit(1);
  close(terminal);
  const StopOnSignal signals(std::chrono::hours(1));
  const std::stop_callback stopped(signals.token(), [] { _exit(42); });
  close(master);
  for (;;) pause();
}

TEST_F(StopOnSignalDeath, AClosedTerminalStopsIt) {
  EXPECT_EXIT(LoseTheTerminal(), testing::ExitedWithCode(42), "stopping");
}

TEST(StopOnSignal, LeavesTheSignalsAsTheyWere) {
  sigset_t before, after;
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &before), 0);
  { const StopOnSignal signals; }
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, nullptr, &after), 0);
  EXPECT_EQ(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
}

}  // namespace
}  // namespace fx
