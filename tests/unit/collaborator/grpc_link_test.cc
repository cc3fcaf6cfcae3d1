// What the link sends, what it repeats, and what it takes as final; tests/integration has the
// certificates.
#include "collaborator/grpc_link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <stop_token>
#include <string>

#include "core/base/digest.h"
#include "core/tensor/model_file.h"
#include "tests/support/matchers.h"
#include "tests/unit/collaborator/scripted_aggregator.h"

namespace fx::collaborator {
namespace {

using grpc::StatusCode;
using test::IsError;
using test::IsOk;
using testing::ElementsAre;

class GrpcLinkTest : public testing::Test {
 protected:
  GrpcLinkTest() : link_(MakeGrpcLink(Options(), PemBundle())) {}

  const Path& folder() const { return folder_.path(); }
  Path to() const { return folder_.path() / "model.fxm"; }
  Path part() const { return folder_.path() / "model.fxm.part"; }

  // Some bytes a model could have, and their id.
  static std::string Bytes() {
    std::string bytes;
    for (int i = 0; i < 2500; ++i) bytes += static_cast<char>(i * 7);
    return bytes;
  }
  static ModelId Id() { return {Sha256Hex(AsBytes(Bytes()))}; }
  Status Download() { return link_->Download(Id(), Bytes().size(), to()); }

  // A result of 3 MiB and a bit.
  TaskResult Trained() {
    Model model;
    model.push_back({.name = "w", .tensor = Tensor({3 * 262'144 + 1})});
    const Path file = folder_.path() / "update.fxm";
    const auto written = WriteModelFile(file, model, DigestKind::kFast);
    EXPECT_THAT(written, IsOk());
    return {.round = Round{4},
            .task = TaskName{"train"},
            .num_samples = 10,
            .metrics = {{"loss", 0.5}},
            .file = file,
            .update = {written->digest},
            .size = written->size};
  }

  test::ScriptedAggregator aggregator_;
  std::stop_source stop_;
  std::unique_ptr<Link> link_;

 private:
  GrpcLinkOptions Options() {
    GrpcLinkOptions options = aggregator_.LinkOptions();
    options.stop = stop_.get_token();
    return options;
  }

  TempDir folder_;
};

TEST_F(GrpcLinkTest, TellsWhatTheAggregatorAssigns) {
  federation::v1::GetTasksResponse response;
  response.set_round(7);
  response.add_tasks("train");
  response.set_model_id("abc");
  response.set_model_size(99);
  aggregator_.tasks = {{.response = response, .status = {}}};
  const auto tasks = link_->GetTasks();
  ASSERT_THAT(tasks, IsOk());
  ASSERT_TRUE(tasks->has_value());
  EXPECT_EQ((*tasks)->round, Round{7});
  EXPECT_THAT((*tasks)->tasks, ElementsAre(TaskName{"train"}));
  EXPECT_EQ((*tasks)->model, ModelId{"abc"});
  EXPECT_EQ((*tasks)->model_size, 99U);
  EXPECT_FALSE((*tasks)->quit);
}

TEST_F(GrpcLinkTest, AsksAgainWhileTheAggregatorIsAway) {
  federation::v1::GetTasksResponse quit;
  quit.set_quit(true);
  aggregator_.tasks = {{.response = {}, .status = {StatusCode::UNAVAILABLE, "stopping"}},
                       {.response = {}, .status = {StatusCode::CANCELLED, "gone"}},
                       {.response = {}, .status = {StatusCode::RESOURCE_EXHAUSTED, "full"}},
                       {.response = quit, .status = {}}};
  const auto tasks = link_->GetTasks();
  ASSERT_THAT(tasks, IsOk());
  EXPECT_TRUE((*tasks)->quit);
  EXPECT_EQ(aggregator_.calls.size(), 4U);
}

TEST_F(GrpcLinkTest, ARefusalIsFinalAndInTheAggregatorsWords) {
  for (const StatusCode code : {StatusCode::UNAUTHENTICATED, StatusCode::PERMISSION_DENIED,
                                StatusCode::INVALID_ARGUMENT, StatusCode::FAILED_PRECONDITION}) {
    aggregator_.tasks = {{.response = {}, .status = {code, "another plan", "get the plan"}}};
    EXPECT_THAT(link_->GetTasks(),
                IsError(static_cast<ErrorCode>(code), "another plan\n  hint: get the plan"));
  }
  EXPECT_EQ(aggregator_.calls.size(), 4U);
}

TEST_F(GrpcLinkTest, AStopEndsTheWaitForAnAggregator) {
  aggregator_.tasks.assign(100, {.response = {}, .status = {StatusCode::UNAVAILABLE, "stopping"}});
  aggregator_.on_call = [this] {
    if (aggregator_.calls.size() == 3) stop_.request_stop();
  };
  EXPECT_THAT(link_->GetTasks(), IsError(ErrorCode::kCancelled, "stopped"));
  EXPECT_EQ(aggregator_.calls.size(), 3U);
}

TEST_F(GrpcLinkTest, ADownloadAppearsWholeUnderItsName) {
  aggregator_.downloads = {{.bytes = Bytes(), .status = {}}};
  ASSERT_THAT(Download(), IsOk());
  EXPECT_EQ(*ReadFile(to()), Bytes());
  EXPECT_FALSE(Exists(part()));
}

TEST_F(GrpcLinkTest, ADownloadThatBreaksOffGoesOnWhereItEnded) {
  aggregator_.downloads = {
      {.bytes = Bytes().substr(0, 1500), .status = {StatusCode::UNAVAILABLE, "cable"}},
      {.bytes = Bytes().substr(1500, 100), .status = {}},  // ends too early without an error
      {.bytes = Bytes().substr(1600), .status = {}}};
  ASSERT_THAT(Download(), IsOk());
  EXPECT_EQ(*ReadFile(to()), Bytes());
  EXPECT_THAT(aggregator_.calls,
              ElementsAre("Download from 0", "Download from 1500", "Download from 1600"));
}

TEST_F(GrpcLinkTest, ADownloadTakesUpWhatAnEarlierProcessLeft) {
  ASSERT_THAT(AtomicWrite(part(), Bytes().substr(0, 2000)), IsOk());
  aggregator_.downloads = {{.bytes = Bytes().substr(2000), .status = {}}};
  ASSERT_THAT(Download(), IsOk());
  EXPECT_EQ(*ReadFile(to()), Bytes());
}

TEST_F(GrpcLinkTest, WhatAnEarlierProcessLeftIsDroppedIfItIsWrong) {
  ASSERT_THAT(AtomicWrite(part(), std::string(2000, 'x')), IsOk());
  aggregator_.downloads = {{.bytes = Bytes().substr(2000), .status = {}},
                           {.bytes = Bytes(), .status = {}}};
  ASSERT_THAT(Download(), IsOk());
  EXPECT_EQ(*ReadFile(to()), Bytes());
  EXPECT_THAT(aggregator_.calls, ElementsAre("Download from 2000", "Download from 0"));
}

TEST_F(GrpcLinkTest, AModelWithOtherBytesNeverAppears) {
  const std::string other(Bytes().size(), 'x');
  aggregator_.downloads = {{.bytes = other, .status = {}}, {.bytes = other, .status = {}}};
  EXPECT_THAT(Download(), IsError(ErrorCode::kDataLoss, "the model received is not"));
  EXPECT_FALSE(Exists(to()));
}

TEST_F(GrpcLinkTest, ADownloadIsCheckedWithTheDigestThatCameWithIt) {
  FastDigest digest;
  digest.Update(AsBytes(Bytes()));
  const std::string announced = std::move(digest).FinishHex();
  const std::string other(Bytes().size(), 'x');
  aggregator_.downloads = {
      {.bytes = other, .status = {}, .digest = announced},
      {.bytes = Bytes().substr(0, 1500), .status = {StatusCode::UNAVAILABLE, "cable"}},
      {.bytes = Bytes().substr(1500), .status = {}, .digest = announced}};
  ASSERT_THAT(Download(), IsOk());
  EXPECT_EQ(*ReadFile(to()), Bytes());
  EXPECT_THAT(aggregator_.calls,
              ElementsAre("Download from 0", "Download from 0", "Download from 1500"));
}

TEST_F(GrpcLinkTest, AModelLongerThanAnnouncedIsRefused) {
  aggregator_.downloads = {{.bytes = Bytes() + "more", .status = {}}};
  EXPECT_THAT(Download(), IsError(ErrorCode::kDataLoss, "more than the 2500 bytes"));
  EXPECT_FALSE(Exists(to()));
}

TEST_F(GrpcLinkTest, AnAbsurdModelSizeIsRefusedBeforeAnythingIsFetched) {
  EXPECT_THAT(link_->Download(Id(), ~0ULL, to()),
              IsError(ErrorCode::kInvalidArgument, "announces a model of"));
  EXPECT_TRUE(aggregator_.calls.empty());
}

TEST_F(GrpcLinkTest, AnUpdateArrivesByteForByte) {
  const TaskResult result = Trained();
  aggregator_.uploads = {{.offset = 0, .read_bytes = result.size, .status = {}}};
  ASSERT_THAT(link_->Send(result), IsOk());
  EXPECT_EQ(aggregator_.uploaded, *ReadFile(result.file));
}

TEST_F(GrpcLinkTest, OnlyTheBytesTheAggregatorLacksAreSent) {
  const TaskResult result = Trained();
  aggregator_.uploads = {{.offset = 2'000'000, .read_bytes = result.size - 2'000'000, .status = {}},
                         {.offset = result.size, .read_bytes = 0, .status = {}}};
  ASSERT_THAT(link_->Send(result), IsOk());
  EXPECT_EQ(aggregator_.uploaded, ReadFile(result.file)->substr(2'000'000));
  ASSERT_THAT(link_->Send(result), IsOk());
  EXPECT_EQ(aggregator_.uploaded, "");
}

TEST_F(GrpcLinkTest, MetricsTravelWithoutBytes) {
  TaskResult result = Trained();
  result.file.clear();
  result.update.value.clear();
  result.size = 0;
  aggregator_.uploads = {{}};
  EXPECT_THAT(link_->Send(result), IsOk());
}

TEST_F(GrpcLinkTest, AnUploadThatBreaksOffIsMadeAgain) {
  const TaskResult result = Trained();
  aggregator_.uploads = {
      {.offset = 0, .read_bytes = 1, .status = {StatusCode::UNAVAILABLE, "cable"}},
      {.offset = 0, .read_bytes = result.size, .status = {}}};
  ASSERT_THAT(link_->Send(result), IsOk());
  EXPECT_EQ(aggregator_.uploaded, *ReadFile(result.file));
  EXPECT_THAT(aggregator_.calls, ElementsAre("Upload of train", "Upload of train"));
}

TEST_F(GrpcLinkTest, ARoundThatMovedOnIsToldAsSuch) {
  aggregator_.uploads = {
      {.offset = 0, .read_bytes = 0, .status = {StatusCode::ABORTED, "round 4 is over"}}};
  EXPECT_THAT(link_->Send(Trained()), IsError(ErrorCode::kAborted, "round 4 is over"));
}

// Words of the aggregator would send the site to ask for other tasks.
TEST_F(GrpcLinkTest, AnUpdateThatCannotBeReadIsAFaultOfThisSide) {
  TaskResult result = Trained();
  result.file = folder() / "gone.fxm";
  EXPECT_THAT(link_->Send(result), IsError(ErrorCode::kInternal, "gone.fxm"));
  result.file = folder();
  EXPECT_THAT(link_->Send(result), IsError(ErrorCode::kInternal, "it is not a file"));
  EXPECT_TRUE(aggregator_.calls.empty());
}

TEST_F(GrpcLinkTest, AModelThatCannotBeWrittenIsAFaultOfThisSide) {
  aggregator_.downloads = {{.bytes = Bytes(), .status = {}}};
  EXPECT_THAT(link_->Download(Id(), Bytes().size(), folder() / "gone" / "model.fxm"),
              IsError(ErrorCode::kInternal, "model.fxm.part"));
}

TEST_F(GrpcLinkTest, AModelThatIsGoneIsToldInTheAggregatorsWords) {
  aggregator_.downloads = {{.bytes = "", .status = {StatusCode::NOT_FOUND, "no such model"}}};
  EXPECT_THAT(Download(), IsError(ErrorCode::kNotFound, "no such model"));
}

TEST_F(GrpcLinkTest, AGoodbyeIsSaidOnceWhateverBecomesOfIt) {
  aggregator_.tasks = {{.response = {}, .status = {StatusCode::UNAVAILABLE, "stopping"}}};
  link_->SayGoodbye();
  EXPECT_THAT(aggregator_.calls, ElementsAre("Goodbye"));
}

TEST_F(GrpcLinkTest, AnAggregatorThatAsksForBytesPastTheEndIsRefused) {
  aggregator_.uploads = {{.offset = 1ULL << 40, .read_bytes = 0, .status = {}}};
  TaskResult result = Trained();
  EXPECT_THAT(link_->Send(result),
              IsError(ErrorCode::kInvalidArgument, "bytes past the update's end"));
}

}  // namespace
}  // namespace fx::collaborator
