#include "tasks/loaders/idx_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "tests/unit/tasks/idx_files.h"

namespace fx::test {
namespace {

using ::testing::ElementsAre;

class IdxFile : public ::testing::Test {
 protected:
  Result<IdxArray> Read(const std::string& bytes, unsigned rank) {
    FX_CHECK(AtomicWrite(path_, bytes).has_value());
    return ReadIdx(path_, rank);
  }

  const TempDir folder_;
  const Path path_ = folder_.path() / "some-ubyte";
  const std::string good_ = Idx({2, 1, 3}, "abcdef");
};

TEST_F(IdxFile, IsReadPlain) {
  const IdxArray array = Read(good_, 3).value();
  EXPECT_THAT(array.extents, ElementsAre(2, 1, 3));
  EXPECT_THAT(array.values, ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
}

TEST_F(IdxFile, IsReadGzippedWhateverItsName) {
  const IdxArray array = Read(Gzip(good_), 3).value();
  EXPECT_THAT(array.extents, ElementsAre(2, 1, 3));
  EXPECT_THAT(array.values, ElementsAre('a', 'b', 'c', 'd', 'e', 'f'));
}

TEST_F(IdxFile, ThatIsMissingIsNamed) {
  EXPECT_THAT(ReadIdx(folder_.path() / "nowhere", 1), IsError(ErrorCode::kNotFound, "nowhere"));
}

TEST_F(IdxFile, IsRefusedAtEveryLengthThatIsTooShort) {
  for (std::size_t length = 0; length < good_.size(); ++length) {
    EXPECT_THAT(Read(good_.substr(0, length), 3), IsError(ErrorCode::kDataLoss, "truncated"))
        << length;
  }
}

TEST_F(IdxFile, IsRefusedGzippedAtEveryLengthThatIsTooShort) {
  const std::string packed = Gzip(good_);
  for (std::size_t length = 2; length < packed.size(); ++length) {
    EXPECT_THAT(Read(packed.substr(0, length), 3), IsError(ErrorCode::kDataLoss, "truncated"))
        << length;
  }
}

TEST_F(IdxFile, ThatWasTruncatedBeforeItWasPackedIsRefused) {
  EXPECT_THAT(Read(Gzip(good_.substr(0, 20)), 3),
              IsError(ErrorCode::kDataLoss, "the unpacked file is truncated"));
}

TEST_F(IdxFile, WithADamagedGzipStreamIsRefused) {
  std::string packed = Gzip(good_);
  packed[10] = 0x07;  // the first block, after a header of ten bytes: a type there is not
  EXPECT_THAT(Read(packed, 3),
              IsError(ErrorCode::kDataLoss, "some-ubyte: the gzip stream is damaged"));
}

TEST_F(IdxFile, WithAWrongChecksumIsRefused) {
  std::string packed = Gzip(good_);
  packed[packed.size() - 8] = static_cast<char>(packed[packed.size() - 8] ^ 1);
  EXPECT_THAT(Read(packed, 3), IsError(ErrorCode::kDataLoss, "the gzip stream is damaged"));
}

TEST_F(IdxFile, ThatGoesOnIsRefused) {
  EXPECT_THAT(Read(good_ + "xy", 3), IsError(ErrorCode::kDataLoss, "2 bytes follow"));
  EXPECT_THAT(Read(Gzip(good_ + "x"), 3), IsError(ErrorCode::kDataLoss, "goes on after"));
  EXPECT_THAT(Read(Gzip(good_) + "xyz", 3),
              IsError(ErrorCode::kDataLoss, "3 bytes follow the end"));
}

TEST_F(IdxFile, WithAnotherMagicIsRefusedWithTheBytesThatAreThere) {
  EXPECT_THAT(
      Read("\x89PNG and so on", 3),
      IsError(ErrorCode::kInvalidArgument, "begins with 89 50 4e 47, expected 00 00 08 03"));
  EXPECT_THAT(Read(Idx({6}, "abcdef"), 3),
              IsError(ErrorCode::kInvalidArgument, "begins with 00 00 08 01"));
}

TEST_F(IdxFile, WithoutSamplesIsRefused) {
  EXPECT_THAT(Read(Idx({0, 28, 28}, ""), 3), IsError(ErrorCode::kDataLoss, "extent 0 is 0"));
}

TEST_F(IdxFile, ThatClaimsMoreThanItCanHoldIsRefusedBeforeAnythingIsAllocated) {
  EXPECT_THAT(Read(Idx({60000, 28, 28}, "abc"), 3),
              IsError(ErrorCode::kDataLoss, "the header claims 47040000 values"));
  EXPECT_THAT(Read(Gzip(Idx({60000, 28, 28}, "abc")), 3),
              IsError(ErrorCode::kDataLoss, "the header claims 47040000 values"));
  const std::uint32_t most = ~0U;
  EXPECT_THAT(Read(Idx({most, most, most}, "abc"), 3),
              IsError(ErrorCode::kResourceExhausted, "the header claims more than"));
}

}  // namespace
}  // namespace fx::test
