#include "collaborator/backoff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stop_token>

namespace fx::collaborator {
namespace {

using testing::AllOf;
using testing::Ge;
using testing::Le;

TEST(Backoff, DoublesItsWindowUpToTheCap) {
  Backoff backoff(1000, RandomStream(1, "test"));
  for (const std::int64_t window : {200, 400, 800, 1000, 1000}) {
    EXPECT_THAT(backoff.NextMs(), AllOf(Ge(window / 2), Le(window)));
  }
  backoff.Reset();
  EXPECT_LE(backoff.NextMs(), 200);
}

TEST(Backoff, SitesDoNotComeBackTogether) {
  Backoff first(60'000, RandomStream(HashName("site1"), "test"));
  Backoff second(60'000, RandomStream(HashName("site2"), "test"));
  int equal = 0;
  for (int i = 0; i < 20; ++i) equal += first.NextMs() == second.NextMs() ? 1 : 0;
  EXPECT_LT(equal, 3);
}

TEST(WaitFor, EndsAtOnceWhenAStopWasRequested) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(WaitFor(1'000'000'000, stop.get_token()));
}

TEST(WaitFor, ReturnsTrueWhenTheTimeIsOver) {
  EXPECT_TRUE(WaitFor(1, std::stop_token()));
}

}  // namespace
}  // namespace fx::collaborator
