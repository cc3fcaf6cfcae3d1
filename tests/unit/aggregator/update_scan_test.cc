#include "aggregator/server/update_scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx::aggregator {
namespace {

using test::IsError;
using test::IsOk;
using test::Must;

const Layout kLayout = {
    {.name = "a", .shape = {5000}}, {.name = "empty", .shape = {0}}, {.name = "b", .shape = {3}}};

class UpdateScanTest : public testing::Test {
 protected:
  UpdateScanTest() {
    Model model;
    for (const TensorSpec& spec : kLayout) {
      model.push_back({.name = spec.name, .tensor = Tensor(spec.shape)});
    }
    const TempDir folder;
    Must(WriteModelFile(folder.path() / "m", model, DigestKind::kFast));
    bytes_ = Must(ReadFile(folder.path() / "m"));
  }

  void Set(std::size_t tensor, std::size_t index, float value) {
    std::memcpy(bytes_.data() + rules_.map.offsets[tensor] + index * sizeof value, &value,
                sizeof value);
  }

  // Fed in pieces of `piece` bytes.
  Status Scan(std::size_t piece) const {
    UpdateScan scan(rules_);
    for (std::size_t i = 0; i < bytes_.size(); i += piece) {
      EXPECT_FALSE(scan.complete());
      TRY(scan.Feed(AsBytes(std::string_view(bytes_).substr(i, piece))));
    }
    EXPECT_TRUE(scan.complete());
    return Ok();
  }

  const UploadRules rules_ = MakeUploadRules(kLayout, 1 << 20, {});
  std::string bytes_;
};

TEST_F(UpdateScanTest, PassesAModelFileInPiecesOfAnySize) {
  for (const std::size_t piece : {1UL, 3UL, 7UL, 64UL, 4096UL, 1UL << 20}) {
    EXPECT_THAT(Scan(piece), IsOk()) << piece;
  }
}

TEST_F(UpdateScanTest, FindsEveryValueThatIsNotFiniteHoweverItIsCut) {
  const float kBad[] = {std::nanf(""), std::numeric_limits<float>::infinity(),
                        -std::numeric_limits<float>::infinity()};
  for (const std::size_t index : {0UL, 1UL, 4095UL, 4096UL, 4999UL}) {
    for (const float bad : kBad) {
      Set(0, index, bad);
      for (const std::size_t piece : {1UL, 6UL, 1000UL, 1UL << 20}) {
        EXPECT_THAT(Scan(piece), IsError(ErrorCode::kInvalidArgument,
                                         "at element " + std::to_string(index) + "\n"));
      }
    }
    Set(0, index, 0);
  }
  Set(2, 2, kBad[0]);
  EXPECT_THAT(Scan(5), IsError(ErrorCode::kInvalidArgument, "tensor \"b\" is NaN at element 2"));
}

TEST_F(UpdateScanTest, RefusesBytesBeyondTheEnd) {
  bytes_ += 'x';
  EXPECT_THAT(Scan(1 << 20), IsError(ErrorCode::kInvalidArgument, "more bytes came than"));
}

TEST_F(UpdateScanTest, RefusesAnotherHeader) {
  bytes_[9] ^= 1;
  EXPECT_THAT(Scan(4), IsError(ErrorCode::kInvalidArgument, "does not begin with the header"));
}

TEST_F(UpdateScanTest, RefusesBytesHiddenBetweenTensors) {
  bytes_[rules_.map.offsets[2] - 1] = 'x';
  EXPECT_THAT(Scan(13), IsError(ErrorCode::kInvalidArgument, "stray bytes between its tensors"));
}

}  // namespace
}  // namespace fx::aggregator
