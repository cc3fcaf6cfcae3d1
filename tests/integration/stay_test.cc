// The call that says that a site is there: one a name, and no longer than its caller is welcome.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "rpc/aggregator.grpc.pb.h"
#include "tests/integration/federation.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using testing::HasSubstr;

// A call in the name of ann, over a connection of its own.
class StayOfAnn {
 public:
  StayOfAnn(const TestFederation& federation, std::uint16_t port)
      : end_(std::async(std::launch::async, [this, &federation, port] {
          const auto stub = wire::Aggregator::NewStub(federation.Connect("ann", port));
          wire::StayRequest request;
          wire::StayResponse response;
          *request.mutable_header() = HeaderOf(federation, "ann");
          return stub->Stay(&context_, request, &response);
        })) {}
  ~StayOfAnn() { Cancel(); }
  StayOfAnn(const StayOfAnn&) = delete;
  StayOfAnn& operator=(const StayOfAnn&) = delete;

  void Cancel() { context_.TryCancel(); }
  grpc::Status End() { return end_.get(); }

 private:
  grpc::ClientContext context_;
  std::future<grpc::Status> end_;
};

class StayTest : public testing::Test {
 protected:
  StayTest() {
    auto options = federation_.Options();
    options.recheck_ms = 20;
    options.now = [this] { return TimeMs{1000 * (UnixNow() + later_.load())}; };
    aggregator_.emplace(std::move(options));
  }
  bool IsPresent() {
    const auto all = aggregator_->runtime().Present();
    return !all.empty() && all[0].present;
  }
  void WaitUntilPresent(bool wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (IsPresent() != wanted && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    EXPECT_EQ(IsPresent(), wanted);
  }

  const TestFederation federation_;
  std::atomic<std::int64_t> later_ = 0;  // seconds; outlives the aggregator, which asks
  std::optional<RunningAggregator> aggregator_;
};

TEST_F(StayTest, EndsWithTheNextOfTheSameName) {
  StayOfAnn older(federation_, aggregator_->port());
  WaitUntilPresent(true);
  StayOfAnn newer(federation_, aggregator_->port());
  const grpc::Status end = older.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::ABORTED) << end.error_message();
  EXPECT_THAT(end.error_message(), HasSubstr("another sign of life came in under the name ann"));
  EXPECT_TRUE(IsPresent());
  newer.Cancel();
  WaitUntilPresent(false);
}

TEST_F(StayTest, EndsWhenTheCertificateExpires) {
  StayOfAnn ann(federation_, aggregator_->port());
  WaitUntilPresent(true);
  constexpr std::int64_t kTwoYears = std::int64_t{2} * 365 * 86400;
  later_ = kTwoYears;
  const grpc::Status end = ann.End();
  EXPECT_EQ(end.error_code(), grpc::StatusCode::UNAUTHENTICATED) << end.error_message();
  EXPECT_THAT(end.error_message(), HasSubstr("the certificate of ann expired on"));
  EXPECT_FALSE(IsPresent());
}

}  // namespace
}  // namespace fx::test
