#include "fx/service/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <string>

#include "tests/support/http_get.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using test::HttpGet;
using test::Must;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class ServiceTest : public testing::Test {
 protected:
  std::string Get(const std::string& path) const {
    return HttpGet(service_->end_points()->port(), path);
  }

  bool working_ = true;
  StopOnSignal signals_;
  std::unique_ptr<Service> service_ =
      Must(Service::Start(signals_, "0",
                          {.line = [] { return std::string("round 3"); },
                           .metrics = [] { return std::string("fx_round 3\n"); },
                           .working = [this] { return working_; }}));
};

TEST_F(ServiceTest, IsReadyFromThenOnUntilAStop) {
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 503 "));
  const auto on_hang_up = service_->Ready([] {});
  EXPECT_THAT(Get("/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(Get("/readyz"), EndsWith("round 3\n"));
  ASSERT_EQ(kill(getpid(), SIGTERM), 0);
  // Whoever asks sees it at last; the test's time limit is the judge.
  while (Get("/readyz").find("starting or stopping") == std::string::npos) {
  }
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServiceTest, IsNotReadyWhileItCannotDoItsWork) {
  const auto on_hang_up = service_->Ready([] {});
  working_ = false;
  EXPECT_THAT(Get("/readyz"), HasSubstr("the aggregator is not reachable"));
  EXPECT_THAT(Get("/healthz"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServiceTest, ShowsItsNumbersInPrometheusForm) {
  const std::string answer = Get("/metrics");
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, EndsWith("fx_round 3\n"));
}

TEST_F(ServiceTest, ReadsAgainAtAHangUp) {
  std::promise<void> reread;
  const auto on_hang_up = service_->Ready([&] { reread.set_value(); });
  ASSERT_EQ(kill(getpid(), SIGHUP), 0);
  reread.get_future().wait();
}

TEST(Service, ServesNothingUnlessAsked) {
  StopOnSignal signals;
  EXPECT_EQ(Must(Service::Start(signals, "", {}))->end_points(), nullptr);
}

}  // namespace
}  // namespace fx
