// Who may not call the aggregator, and how it says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

#include "aggregator/state_folder.h"
#include "core/base/log.h"
#include "rpc/grpc_log.h"
#include "tests/integration/federation.h"
#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using testing::HasSubstr;

class CallerRefusals : public testing::Test {
 protected:
  void ExpectRefused(const std::string& certificate, const wire::Header& header,
                     grpc::StatusCode code, const std::string& words) {
    const grpc::Status status = Ask(federation_.Connect(certificate, aggregator_.port()), header);
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_THAT(status.error_message(), HasSubstr(words));
  }

  TestFederation federation_;
  RunningAggregator aggregator_{federation_.Options()};
};

TEST_F(CallerRefusals, OfANameThatIsNotAuthorised) {
  federation_.pki.AddCollaborator("zoe");
  ExpectRefused("zoe", HeaderOf(federation_, "zoe"), grpc::StatusCode::PERMISSION_DENIED,
                "\"zoe\" is not in plan/cols.yaml of the aggregator");
}

TEST_F(CallerRefusals, OfASenderThatIsNotItsCertificate) {
  ExpectRefused("bob", HeaderOf(federation_, "ann"), grpc::StatusCode::PERMISSION_DENIED,
                "the certificate is for \"bob\", but the sender says \"ann\"");
}

TEST_F(CallerRefusals, OfAnotherPlan) {
  TestFederation other;
  other.plan.digest = std::string(96, '0');
  ExpectRefused("ann", HeaderOf(other, "ann"), grpc::StatusCode::INVALID_ARGUMENT,
                "your plan differs from the aggregator's (yours \"00000000\"");
}

TEST_F(CallerRefusals, OfAnotherReceiver) {
  wire::Header header = HeaderOf(federation_, "ann");
  header.set_receiver("someone else");
  ExpectRefused("ann", header, grpc::StatusCode::INVALID_ARGUMENT,
                "the call is for aggregator \"someone else\"");
}

TEST_F(CallerRefusals, OfAnotherFederation) {
  wire::Header header = HeaderOf(federation_, "ann");
  header.set_federation_uuid("plan.yaml_other");
  ExpectRefused("ann", header, grpc::StatusCode::INVALID_ARGUMENT,
                "the call is for federation \"plan.yaml_other\"");
}

TEST_F(CallerRefusals, OfAnUploadComeBeforeItsPayload) {
  HandMadeUpload upload = GoodUpload(federation_, "ann");
  const grpc::Status status = Send(federation_.Connect("bob", aggregator_.port()), upload);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(CallerRefusals, OfADownloadAreTheSame) {
  wire::DownloadRequest request;
  *request.mutable_header() = HeaderOf(federation_, "ann");
  request.set_model_id(std::string(64, '0'));
  const grpc::Status status = SendRaw(federation_.Connect("bob", aggregator_.port()), "Download",
                                      {request.SerializeAsString()});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

class DownloadRefusals : public CallerRefusals {
 protected:
  grpc::Status Download(const std::string& model_id, std::uint64_t offset) {
    wire::DownloadRequest request;
    *request.mutable_header() = HeaderOf(federation_, "ann");
    request.set_model_id(model_id);
    request.set_offset(offset);
    return SendRaw(federation_.Connect("ann", aggregator_.port()), "Download",
                   {request.SerializeAsString()});
  }
};

TEST_F(DownloadRefusals, OfANameThatWouldLeaveTheFolder) {
  const grpc::Status status = Download("../../../../../../etc/passwd", 0);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("is not a model id"));
}

TEST_F(DownloadRefusals, OfAModelThatIsNotThere) {
  EXPECT_EQ(Download(std::string(64, '0'), 0).error_code(), grpc::StatusCode::NOT_FOUND);
}

TEST_F(DownloadRefusals, OfAnOffsetBeyondTheEnd) {
  const Path models =
      aggregator::StatePath(federation_.workspace.path(), federation_.plan) / "models";
  const std::string id = Must(ListFolder(models)).at(0).stem().string();
  EXPECT_TRUE(Download(id, 0).ok());
  EXPECT_EQ(Download(id, 1U << 30).error_code(), grpc::StatusCode::OUT_OF_RANGE);
}

// Refusals by TLS itself: the client sees a broken connection, the aggregator's log says why.
class HandshakeRefusals : public CallerRefusals {
 protected:
  static void SetUpTestSuite() { InstallGrpcLog(GrpcRole::kServer); }

  HandshakeRefusals() { Must(AddLogFile(log_) ? Ok() : Fail(ErrorCode::kInternal, log_)); }

  void ExpectHandshakeRefused(const PemBundle& credentials, const std::string& words) {
    const grpc::Status status =
        Ask(Connect(credentials, aggregator_.port()), HeaderOf(federation_, "ann"));
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
    EXPECT_THAT(Must(ReadFile(log_)), HasSubstr(words));
  }

 private:
  TempDir folder_;
  const std::string log_ = (folder_.path() / "log").string();
};

TEST_F(HandshakeRefusals, OfAnotherAuthority) {
  TestPki stranger;
  stranger.AddCollaborator("ann");
  stranger.Trust(federation_.pki);
  ExpectHandshakeRefused(stranger.CollaboratorBundle("ann"),
                         "is not signed by this federation's authority");
}

TEST_F(HandshakeRefusals, OfAnExpiredCertificate) {
  federation_.pki.AddCollaborator("eve", {.validity = TestValidity::kExpired});
  ExpectHandshakeRefused(federation_.pki.CollaboratorBundle("eve"), "or has expired");
}

TEST(AggregatorPort, TakenIsSaidInWords) {
  const TestFederation first, second;
  const RunningAggregator running(first.Options());
  EXPECT_THAT(aggregator::Runtime::Create(second.Options(running.port())),
              IsError(ErrorCode::kUnavailable, "is taken by another program on this machine"));
}

TEST(AggregatorState, IsUsedByOneProcessAtATime) {
  const TestFederation federation;
  const RunningAggregator running(federation.Options());
  EXPECT_THAT(aggregator::Runtime::Create(federation.Options()),
              IsError(ErrorCode::kFailedPrecondition, "another aggregator is running"));
}

TEST(AggregatorStart, WantsAnInitialModel) {
  const TestFederation federation;
  Must(RemoveIfExists(federation.workspace.path() / federation.plan.aggregator.init_state_path));
  EXPECT_THAT(aggregator::Runtime::Create(federation.Options()),
              IsError(ErrorCode::kNotFound, "fx plan initialize"));
}

TEST(AggregatorStart, WantsSomeoneToServe) {
  TestFederation federation;
  federation.plan.authorized.clear();
  EXPECT_THAT(aggregator::Runtime::Create(federation.Options()),
              IsError(ErrorCode::kFailedPrecondition, "no collaborator is authorised"));
}

}  // namespace
}  // namespace fx::test
