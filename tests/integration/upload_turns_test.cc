// Whose turn it is to send an update, and who writes to its file.
#include <memory>

#include "rpc/aggregator.pb.h"
#include "rpc/bytes.h"
#include "rpc/raw_call.h"
#include "tests/integration/federation.h"
#include "tests/support/must.h"

namespace fx::test {
namespace {

using grpc::StatusCode;

// An upload in steps.
class SteppedUpload {
 public:
  SteppedUpload(const std::shared_ptr<grpc::Channel>& channel, const HandMadeUpload& upload)
      : call_(channel, "/fx.federation.v1.Aggregator/Upload", {}) {
    EXPECT_TRUE(call_.Write(Pack(upload.header)));
  }

  // Waits for the turn: where to send from.
  std::uint64_t Offset() {
    grpc::ByteBuffer message;
    wire::UploadReply reply;
    EXPECT_TRUE(call_.Read(message));
    Must(Unpack(message, reply));
    return reply.offset();
  }
  void Write(const std::string& bytes) {
    const auto owner = std::make_shared<const std::string>(bytes);
    EXPECT_TRUE(call_.Write(WrapBytes(AsBytes(*owner), owner)));
  }
  void Cancel() { call_.Cancel(); }
  grpc::Status Finish() { return call_.Finish(); }

 private:
  RawCall call_;
};

class UploadTurns : public testing::Test {
 protected:
  aggregator::RuntimeOptions OneAtATime() const {
    aggregator::RuntimeOptions options = federation_.Options();
    options.uploads_at_once = 1;
    return options;
  }

  TestFederation federation_;
  RunningAggregator aggregator_{OneAtATime()};
  std::shared_ptr<grpc::Channel> ann_ = federation_.Connect("ann", aggregator_.port());
  std::shared_ptr<grpc::Channel> bob_ = federation_.Connect("bob", aggregator_.port());
  const HandMadeUpload anns_ = GoodUpload(federation_, "ann");
  const HandMadeUpload bobs_ = GoodUpload(federation_, "bob");
  const std::string bytes_ = anns_.chunks[0];  // the same for both
};

TEST_F(UploadTurns, ComeWhenAnotherUploadIsDone) {
  SteppedUpload first(ann_, anns_);
  EXPECT_EQ(first.Offset(), 0U);
  SteppedUpload second(bob_, bobs_);
  first.Write(bytes_);
  EXPECT_TRUE(first.Finish().ok());
  EXPECT_EQ(second.Offset(), 0U);
  second.Write(bytes_);
  EXPECT_TRUE(second.Finish().ok());
}

TEST_F(UploadTurns, ComeWhenAnotherUploadIsGivenUp) {
  SteppedUpload first(ann_, anns_);
  EXPECT_EQ(first.Offset(), 0U);
  SteppedUpload second(bob_, bobs_);
  first.Cancel();
  EXPECT_EQ(second.Offset(), 0U);
  second.Write(bytes_);
  EXPECT_TRUE(second.Finish().ok());
}

TEST_F(UploadTurns, AreNotKeptForThoseWhoGiveUpWaiting) {
  SteppedUpload first(ann_, anns_);
  EXPECT_EQ(first.Offset(), 0U);
  SteppedUpload second(bob_, bobs_);
  second.Cancel();
  EXPECT_EQ(second.Finish().error_code(), StatusCode::CANCELLED);
  first.Write(bytes_);
  EXPECT_TRUE(first.Finish().ok());
  EXPECT_TRUE(Send(bob_, bobs_).ok());
}

// The older connection is likely dead, and its bytes are not lost.
TEST_F(UploadTurns, GoToTheNewerOfTwoUploadsOfACollaborator) {
  SteppedUpload older(ann_, anns_);
  EXPECT_EQ(older.Offset(), 0U);
  older.Write(bytes_.substr(0, 100));
  const auto other_connection = federation_.Connect("ann", aggregator_.port());
  SteppedUpload newer(other_connection, anns_);
  const std::uint64_t offset = newer.Offset();
  EXPECT_TRUE(offset == 0 || offset == 100) << offset;  // 0: the bytes were still on their way
  EXPECT_EQ(older.Finish().error_code(), StatusCode::CANCELLED);
  newer.Write(bytes_.substr(offset));
  EXPECT_TRUE(newer.Finish().ok());
}

}  // namespace
}  // namespace fx::test
