// What the aggregator says to an upload that is wrong, and that it leaves no trace; and to one
// that comes in parts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "aggregator/state_folder.h"
#include "core/base/digest.h"
#include "core/tensor/model_file.h"
#include "tests/integration/federation.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class UploadRefusals : public testing::Test {
 protected:
  // Sends and expects a refusal that says `words`; what it should not have left behind is looked at
  // in TearDown.
  void ExpectRefused(const HandMadeUpload& upload, grpc::StatusCode code,
                     const std::string& words) {
    const grpc::Status status = Send(channel_, upload);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(words));
  }

  void TearDown() override {
    const Path spool =
        aggregator::StatePath(federation_.workspace.path(), federation_.plan) / "spool";
    EXPECT_THAT(Must(ListFolder(spool)), IsEmpty());
  }

  // The good update with one of its floats replaced.
  HandMadeUpload WithValue(std::size_t index, float value) const {
    HandMadeUpload upload = GoodUpload(federation_, "ann");
    std::string bytes = upload.chunks[0];
    const ModelFileMap map = MapModelFile(ParameterLayout(federation_.plan.task_runner));
    std::memcpy(bytes.data() + map.offsets[0] + index * sizeof value, &value, sizeof value);
    return WithBytes(std::move(upload), bytes);
  }

  TestFederation federation_;
  RunningAggregator aggregator_{federation_.Options()};
  std::shared_ptr<grpc::Channel> channel_ = federation_.Connect("ann", aggregator_.port());
};

TEST_F(UploadRefusals, OfOtherShapesNamesTheTensorAndBothShapes) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_model_header(EncodeModelHeader(
      {{.name = "fc.weight", .shape = {3, 5}}, {.name = "fc.bias", .shape = {3}}}));
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT,
                "fc.weight has shape [3, 5], expected [3, 4]");
}

TEST_F(UploadRefusals, OfNaNNamesTensorAndElement) {
  ExpectRefused(WithValue(7, std::nanf("")), grpc::StatusCode::INVALID_ARGUMENT,
                "tensor \"fc.weight\" is NaN at element 7");
}

TEST_F(UploadRefusals, OfInfinityNamesTensorAndElement) {
  ExpectRefused(WithValue(11, -std::numeric_limits<float>::infinity()),
                grpc::StatusCode::INVALID_ARGUMENT,
                "tensor \"fc.weight\" is infinite at element 11");
}

TEST_F(UploadRefusals, OfMoreBytesThanThePlanAllows) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_size(2 << 23);
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT,
                "the update has 16777216 bytes, more than the 8388608 this federation allows");
}

TEST_F(UploadRefusals, OfASizeThatIsNotThatOfItsTensors) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_size(upload.header.size() + 4);
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT, "but its tensors need");
}

TEST_F(UploadRefusals, OfBytesBeyondTheAnnouncedSize) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.chunks[0] += "more";
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT, "more bytes came than");
}

TEST_F(UploadRefusals, OfAnotherDigest) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_update_id("00000000000000000000000000000000");
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT,
                "but 00000000000000000000000000000000 was announced");
}

TEST_F(UploadRefusals, OfAFileThatIsNotTheOneItsHeaderDescribes) {
  const HandMadeUpload upload = GoodUpload(federation_, "ann");
  ExpectRefused(WithBytes(upload, std::string(upload.chunks[0].size(), 'x')),
                grpc::StatusCode::INVALID_ARGUMENT,
                "does not begin with the header that was announced");
}

TEST_F(UploadRefusals, OfAnEmptyMessage) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.chunks[0].clear();
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT, "a message of 0 bytes came");
}

TEST_F(UploadRefusals, OfGarbageInsteadOfAHeader) {
  const grpc::Status status = SendRaw(channel_, "Upload", {std::string(1000, '\xff')});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("are not a fx.federation.v1.UploadHeader"));
}

TEST_F(UploadRefusals, OfAMessageBeyondTheReceiveLimit) {
  const grpc::Status status =
      SendRaw(channel_, "Upload", {std::string(8U << 20, 'x') + std::string(2U << 20, 'x')});
  EXPECT_FALSE(status.ok());
}

TEST_F(UploadRefusals, OfAModelHeaderThatIsNone) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_model_header("FXMODEL1 but then nothing");
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT, "");
}

TEST_F(UploadRefusals, OfATaskThePlanDoesNotHave) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_task("trian");
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT, "the plan has no task \"trian\"");
}

TEST_F(UploadRefusals, OfARoundThatHasNotBegun) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_round(1);
  ExpectRefused(upload, grpc::StatusCode::ABORTED, "round 1 has not begun");
}

TEST_F(UploadRefusals, OfANumberThatIsNotFinite) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  auto* const metric = upload.header.add_metrics();
  metric->set_name("loss");
  metric->set_value(std::nan(""));
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT,
                "metric \"loss\" is nan, expected a finite number");
}

TEST_F(UploadRefusals, OfNoSamples) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_num_samples(0);
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT, "the result counts 0 samples");
}

TEST_F(UploadRefusals, OfAModelFromATaskThatOnlyMeasures) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  upload.header.set_task("aggregated_model_validation");
  ExpectRefused(upload, grpc::StatusCode::INVALID_ARGUMENT, "reports metrics only");
}

class UploadAnswers : public testing::Test {
 protected:
  Path Spool() const {
    return aggregator::StatePath(federation_.workspace.path(), federation_.plan) / "spool";
  }

  TestFederation federation_;
  RunningAggregator aggregator_{federation_.Options()};
  std::shared_ptr<grpc::Channel> channel_ = federation_.Connect("ann", aggregator_.port());
};

TEST_F(UploadAnswers, AcceptTheSameBytesTwiceAndRefuseOthers) {
  const HandMadeUpload upload = GoodUpload(federation_, "ann");
  EXPECT_TRUE(Send(channel_, upload).ok());
  HandMadeUpload again = upload;
  again.chunks.clear();  // the aggregator has them
  EXPECT_TRUE(Send(channel_, again).ok());

  std::string other_bytes = upload.chunks[0];
  other_bytes.back() = '\1';
  const grpc::Status other = Send(channel_, WithBytes(upload, other_bytes));
  EXPECT_EQ(other.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(other.error_message(), HasSubstr("already has another result of \"ann\""));
}

TEST_F(UploadAnswers, TakeAnUpdateInPiecesOfAnySize) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  const std::string bytes = upload.chunks[0];
  upload.chunks.clear();
  for (std::size_t i = 0; i < bytes.size(); i += 7) upload.chunks.push_back(bytes.substr(i, 7));
  const grpc::Status status = Send(channel_, upload);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(UploadAnswers, GoOnWhereAnUploadEndedEarly) {
  const HandMadeUpload upload = GoodUpload(federation_, "ann");
  const std::string bytes = upload.chunks[0];
  HandMadeUpload part = upload;
  part.chunks = {bytes.substr(0, 100)};
  EXPECT_EQ(Send(channel_, part).error_code(), grpc::StatusCode::CANCELLED);
  part.chunks = {bytes.substr(100, 99)};  // ends within a float
  EXPECT_EQ(Send(channel_, part).error_code(), grpc::StatusCode::CANCELLED);
  part.chunks = {bytes.substr(199)};
  const grpc::Status status = Send(channel_, part);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

// What an earlier attempt left may be damaged: the sender is asked to try again, and has to send
// everything.
TEST_F(UploadAnswers, AskForEverythingOnceIfWhatIsHereIsDamaged) {
  const HandMadeUpload upload = GoodUpload(federation_, "ann");
  const std::string bytes = upload.chunks[0];
  HandMadeUpload part = upload;
  part.chunks = {bytes.substr(0, bytes.size() - 8)};
  EXPECT_EQ(Send(channel_, part).error_code(), grpc::StatusCode::CANCELLED);
  const std::vector<Path> files = Must(ListFolder(Spool()));
  ASSERT_EQ(files.size(), 1U);
  std::string damaged = part.chunks[0];
  damaged.back() = '\1';
  Must(AtomicWrite(files[0], damaged));

  part.chunks = {bytes.substr(bytes.size() - 8)};
  const grpc::Status again = Send(channel_, part);
  EXPECT_EQ(again.error_code(), grpc::StatusCode::UNAVAILABLE) << again.error_message();
  EXPECT_THAT(again.error_message(), HasSubstr("wanted again from its start"));
  EXPECT_THAT(Must(ListFolder(Spool())), IsEmpty());
  EXPECT_TRUE(Send(channel_, upload).ok());
}

TEST_F(UploadAnswers, AskForEverythingIfWhatIsHereIsNoUpdate) {
  const HandMadeUpload upload = GoodUpload(federation_, "ann");
  HandMadeUpload part = upload;
  part.chunks = {upload.chunks[0].substr(0, 100)};
  EXPECT_EQ(Send(channel_, part).error_code(), grpc::StatusCode::CANCELLED);
  Must(AtomicWrite(Must(ListFolder(Spool())).at(0), std::string(100, '\0')));
  EXPECT_TRUE(Send(channel_, upload).ok());
}

}  // namespace
}  // namespace fx::test
