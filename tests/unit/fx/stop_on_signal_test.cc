#include "fx/stop_on_signal.h"

#include <gtest/gtest.h>
#include <unistd.h>

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
