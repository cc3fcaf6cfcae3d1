#include "rpc/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/file.h"
#include "rpc/bytes.h"
#include "rpc/convert.h"
#include "rpc/grpc_log.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using testing::HasSubstr;
using testing::Optional;

TEST(GrpcStatus, CarriesCodeMessageAndHintBothWays) {
  for (int code = 1; code <= 16; ++code) {
    const Error error = Error(static_cast<ErrorCode>(code), "it broke").Hint("mend it");
    const Error back = FromGrpc(ToGrpc(error));
    EXPECT_EQ(back.code(), error.code());
    EXPECT_EQ(back.message(), "it broke");
    EXPECT_EQ(back.hint(), "mend it");
  }
}

TEST(GrpcStatus, KeepsContextsAtHome) {
  const auto status = ToGrpc(Error(ErrorCode::kInternal, "it broke").In("a private matter"));
  EXPECT_EQ(status.error_message(), "it broke");
}

TEST(GrpcStatus, OfAnUnknownCodeIsUnknown) {
  EXPECT_EQ(FromGrpc(grpc::Status(grpc::StatusCode::DO_NOT_USE, "odd")).code(),
            ErrorCode::kUnknown);
}

TEST(GrpcStatus, WordsOfAPeerCannotMoveTheCursor) {
  const grpc::Status status(grpc::StatusCode::INTERNAL, "gone\x1b[2J", "line\nerror: forged");
  EXPECT_EQ(FromGrpc(status).message(), "gone?[2J");
  EXPECT_EQ(FromGrpc(status).hint(), "line?error: forged");
}

TEST(GrpcStatus, FitsIntoTheTrailersWhateverItsLength) {
  const auto status = ToGrpc(
      Error(ErrorCode::kInternal, std::string(100'000, 'x')).Hint(std::string(100'000, 'y')));
  EXPECT_LT(status.error_message().size() + status.error_details().size(), 8000U);
}

TEST(Bytes, PackAndUnpackAreInverse) {
  wire::Header header;
  header.set_sender("ann");
  wire::Header back;
  EXPECT_THAT(Unpack(Pack(header), back), IsOk());
  EXPECT_EQ(back.sender(), "ann");
}

TEST(Bytes, UnpackRefusesWhatDoesNotParse) {
  const auto text = std::make_shared<const std::string>("\xff\xff\xff");
  wire::Header header;
  EXPECT_THAT(Unpack(WrapBytes(AsBytes(*text), text), header),
              IsError(ErrorCode::kInvalidArgument, "fx.federation.v1.Header"));
  EXPECT_THAT(Unpack(grpc::ByteBuffer(), header), IsError(ErrorCode::kInvalidArgument, "Header"));
}

TEST(Bytes, WrappedMemoryIsKeptUntilTheLastBufferIsGone) {
  auto owner = std::make_shared<const std::string>("bytes");
  const std::weak_ptr<const std::string> watch = owner;
  auto buffer = std::make_unique<grpc::ByteBuffer>(WrapBytes(AsBytes(*owner), owner));
  owner.reset();
  EXPECT_FALSE(watch.expired());
  buffer.reset();
  EXPECT_TRUE(watch.expired());
}

constexpr const char* kPrefix = "Handshake failed with fatal error SSL_ERROR_SSL: ";

TEST(ExplainGrpcLog, SaysWhoseCertificateWasRefused) {
  const std::string refused =
      std::string(kPrefix) + "error:0A000086:SSL routines::certificate verify failed.";
  EXPECT_THAT(ExplainGrpcLog(refused, GrpcRole::kServer),
              Optional(HasSubstr("a client was refused during the TLS handshake: its certificate "
                                 "is not signed by this federation's authority")));
  const std::string alert =
      std::string(kPrefix) + "error:0A000418:SSL routines::tlsv1 alert unknown ca.";
  EXPECT_THAT(ExplainGrpcLog(alert, GrpcRole::kClient),
              Optional(HasSubstr("the aggregator refused our certificate")));
  const std::string none =
      std::string(kPrefix) + "error:0A0000C7:SSL routines::peer did not return a certificate.";
  EXPECT_THAT(ExplainGrpcLog(none, GrpcRole::kServer), Optional(HasSubstr("no certificate")));
}

TEST(ExplainGrpcLog, QuotesWhatItDoesNotKnow) {
  const std::string line =
      std::string(kPrefix) + "error:0A00010B:SSL routines::wrong version number.";
  EXPECT_THAT(ExplainGrpcLog(line, GrpcRole::kServer),
              Optional(HasSubstr("(wrong version number)")));
}

TEST(ExplainGrpcLog, DropsEverythingElse) {
  EXPECT_EQ(ExplainGrpcLog("subchannel 0x1 connected", GrpcRole::kServer), std::nullopt);
}

}  // namespace
}  // namespace fx
