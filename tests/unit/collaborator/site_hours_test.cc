// What the end of a site's hours does to a task, and to a transfer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "collaborator/grpc_link.h"
#include "collaborator/local_store.h"
#include "collaborator/task_loop.h"
#include "core/base/digest.h"
#include "core/tensor/model_file.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"
#include "tests/unit/collaborator/fake_federation.h"
#include "tests/unit/collaborator/fake_time.h"
#include "tests/unit/collaborator/scripted_aggregator.h"

namespace fx::collaborator {
namespace {

using test::FakeAggregator;
using test::FakeLink;
using test::FakeTime;
using test::IsError;
using test::IsOk;
using test::Must;
using testing::ElementsAre;
using testing::HasSubstr;

std::optional<Error> NoTrouble() {
  return std::nullopt;
}

// Training takes its time, a minute a batch, and looks between two whether to go on.
class SlowRunner : public test::FakeRunner {
 public:
  SlowRunner(FakeTime& time, int minutes, int* trainings)
      : FakeRunner(NoTrouble, trainings), time_(time), minutes_(minutes) {}

  Result<TaskReport> Train(const TaskSpec& task, const TaskContext& context) override {
    begun_.push_back(time_.minute());
    for (int minute = 0; minute < minutes_; ++minute) {
      if (context.cancelled()) return Fail(ErrorCode::kCancelled, "stopped between two batches");
      time_.Advance(60'000);
    }
    return FakeRunner::Train(task, context);
  }
  const std::vector<int>& begun() const { return begun_; }

 private:
  FakeTime& time_;
  int minutes_;
  std::vector<int> begun_;
};

// Remembers when it was let go of.
class RestfulLink : public FakeLink {
 public:
  RestfulLink(FakeAggregator& aggregator, const FakeTime& time)
      : FakeLink(aggregator, NoTrouble), time_(time) {}
  void Rest() override { rested_.push_back(time_.minute()); }
  const std::vector<int>& rested() const { return rested_; }

 private:
  const FakeTime& time_;
  std::vector<int> rested_;
};

// One round of a site with hours from 20:00 to 06:00, from Monday `start` on.
class Night {
 public:
  Night(int start, int training_minutes)
      : time_(start), runner_(time_, training_minutes, &trainings_) {}

  Status Run() {
    TaskLoopOptions options{.name = {"site1"},
                            .tasks = {},
                            .settings = {},
                            .limits = std::make_shared<SiteLimits>(
                                0, Must(WeeklyHours::Parse("20:00-06:00")), time_.World()),
                            .clock = [] { return 0.0; }};
    options.tasks[{"train"}] = TaskSpec{.name = {"train"},
                                        .function = TaskFunction::kTrain,
                                        .apply = ApplyTo::kGlobal,
                                        .metrics = {},
                                        .batch_size = {}};
    return TaskLoop(std::move(options), Must(LocalStore::Open(disk_.path() / "state")), link_,
                    runner_)
        .Run();
  }

  const FakeAggregator& aggregator() const { return aggregator_; }
  const SlowRunner& runner() const { return runner_; }
  const RestfulLink& link() const { return link_; }

 private:
  TempDir disk_;
  FakeTime time_;
  int trainings_ = 0;
  SlowRunner runner_;
  FakeAggregator aggregator_{disk_.path(), 1, {{"train"}}};
  RestfulLink link_{aggregator_, time_};
};

constexpr int kHour = 60;

TEST(SiteHours, ATaskIsNotBegunBeforeThem) {
  Night night(12 * kHour, 5);
  ASSERT_THAT(night.Run(), IsOk());
  EXPECT_THAT(night.runner().begun(), ElementsAre(20 * kHour));
}

TEST(SiteHours, ATaskEndsWithThemAndComesOutTheSameInTheNext) {
  Night undisturbed(21 * kHour, 60);
  ASSERT_THAT(undisturbed.Run(), IsOk());

  Night night(5 * kHour + 30, 60);
  ASSERT_THAT(night.Run(), IsOk());
  EXPECT_THAT(night.runner().begun(), ElementsAre(5 * kHour + 30, 20 * kHour));
  EXPECT_EQ(night.aggregator().accepted(), undisturbed.aggregator().accepted());
  EXPECT_THAT(night.link().rested(), ElementsAre(6 * kHour));
}

TEST(SiteHours, ATaskThatNeverFitsIntoThemIsReported) {
  Night night(0, 11 * kHour);
  EXPECT_THAT(night.Run(),
              IsError(ErrorCode::kFailedPrecondition, "longer than this site's hours"));
  EXPECT_THAT(night.runner().begun(), ElementsAre(0, 20 * kHour));
  EXPECT_THAT(night.aggregator().failures(), ElementsAre(HasSubstr("longer than this site's")));
}

// A link to a script, at a site with hours and a rate.
class LimitedLink : public testing::Test {
 protected:
  std::unique_ptr<Link> Connect(std::uint64_t rate, const char* hours) {
    GrpcLinkOptions options = aggregator_.LinkOptions();
    options.limits =
        std::make_shared<SiteLimits>(rate, Must(WeeklyHours::Parse(hours)), time_.World());
    return MakeGrpcLink(std::move(options), PemBundle());
  }
  // A result of half a megabyte.
  TaskResult Trained() const {
    Model model;
    model.push_back({.name = "w", .tensor = Tensor({125'000})});
    const Path file = folder_.path() / "update.fxm";
    const auto written = Must(WriteModelFile(file, model, DigestKind::kFast));
    return {.round = Round{4},
            .task = TaskName{"train"},
            .num_samples = 10,
            .metrics = {},
            .file = file,
            .update = {written.digest},
            .size = written.size};
  }

  TempDir folder_;
  FakeTime time_{6 * kHour - 1};
  test::ScriptedAggregator aggregator_;
};

TEST_F(LimitedLink, ADownloadTakesAsLongAsTheRateWants) {
  const std::string bytes(100'000, 'x');
  aggregator_.downloads = {{.bytes = bytes, .status = {}}};
  const auto link = Connect(10'000, "00:00-24:00");
  ASSERT_THAT(link->Download({Sha256Hex(AsBytes(bytes))}, bytes.size(), folder_.path() / "model"),
              IsOk());
  EXPECT_NEAR(static_cast<double>(time_.elapsed_ms()), 9750, 150);
}

TEST_F(LimitedLink, AnUploadTakesAsLongAsTheRateWants) {
  const TaskResult result = Trained();
  aggregator_.uploads = {{.offset = 0, .read_bytes = result.size, .status = {}}};
  const auto link = Connect(50'000, "00:00-24:00");
  ASSERT_THAT(link->Send(result), IsOk());
  EXPECT_EQ(aggregator_.uploaded.size(), result.size);
  EXPECT_NEAR(static_cast<double>(time_.elapsed_ms()), static_cast<double>(result.size) / 50 - 250,
              200);
}

TEST_F(LimitedLink, ADownloadStopsWithTheHoursAndGoesOnInTheNext) {
  const std::string bytes(100'000, 'x');
  aggregator_.downloads = {{.bytes = bytes, .status = {}},
                           {.bytes = bytes.substr(61'000), .status = {}}};
  const auto link = Connect(1'000, "20:00-06:00");
  ASSERT_THAT(link->Download({Sha256Hex(AsBytes(bytes))}, bytes.size(), folder_.path() / "model"),
              IsOk());
  EXPECT_THAT(aggregator_.calls, ElementsAre("Download from 0", "Download from 61000"));
  EXPECT_EQ(time_.minute(), 20 * kHour);
}

TEST_F(LimitedLink, NothingIsAskedOutsideOfTheHours) {
  time_.Advance(60'000);
  federation::v1::GetTasksResponse quit;
  quit.set_quit(true);
  aggregator_.tasks = {{.response = quit, .status = {}}};
  int asked_at = 0;
  aggregator_.on_call = [&] { asked_at = time_.minute(); };
  const auto link = Connect(0, "20:00-06:00");
  EXPECT_THAT(link->GetTasks(), IsOk());
  EXPECT_EQ(asked_at, 20 * kHour);
}

}  // namespace
}  // namespace fx::collaborator
