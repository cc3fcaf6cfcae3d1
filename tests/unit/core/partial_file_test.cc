#include "core/base/partial_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsOk;

class PartialFileTest : public testing::Test {
 protected:
  Path path() const { return dir_.path() / "update.part"; }
  PartialFile Open(std::uint64_t size) const {
    auto file = PartialFile::Open(path(), size, FileMode::kPrivate, Survive::kProcess);
    EXPECT_THAT(file, IsOk());
    return *std::move(file);
  }
  static Status Append(PartialFile& file, std::string_view text) {
    const std::array<std::span<const std::byte>, 2> pieces = {AsBytes(text.substr(0, 1)),
                                                              AsBytes(text.substr(1))};
    return file.Append(pieces);
  }

  TempDir dir_;
};

TEST_F(PartialFileTest, IsItsBytesAndNothingElseOnceItIsFinished) {
  for (const std::string text : {"fifteen letters", "sixteen letters."}) {
    PartialFile file = Open(text.size());
    ASSERT_THAT(file.StartAgain(), IsOk());
    ASSERT_THAT(Append(file, text.substr(0, 7)), IsOk());
    EXPECT_FALSE(file.complete());
    ASSERT_THAT(Append(file, text.substr(7)), IsOk());
    EXPECT_TRUE(file.complete());
    ASSERT_THAT(file.Finish(), IsOk());
    EXPECT_EQ(*ReadFile(path()), text);
  }
}

TEST_F(PartialFileTest, GoesOnWhereAnEarlierProcessEnded) {
  for (std::size_t length = 1; length <= 10; ++length) {
    {
      PartialFile file = Open(10);
      ASSERT_THAT(file.StartAgain(), IsOk());
      ASSERT_THAT(Append(file, std::string(length, 'x')), IsOk());
    }
    EXPECT_EQ(Open(10).position(), length);
  }
}

TEST_F(PartialFileTest, WithoutAMarkHasAsManyBytesAsItIsLong) {
  for (const std::size_t length : {0U, 1U, 9U, 10U}) {
    ASSERT_THAT(AtomicWrite(path(), std::string(length, 'x')), IsOk());
    EXPECT_EQ(Open(10).position(), length);
  }
}

TEST_F(PartialFileTest, WithAMarkThatCannotBeStartsAgain) {
  for (const std::size_t length : {11U, 16U, 31U, 32U, 33U, 100U}) {
    ASSERT_THAT(AtomicWrite(path(), std::string(length, 'x')), IsOk());
    EXPECT_EQ(Open(10).position(), 0U) << length;
  }
  PartialFile longer = Open(11);
  ASSERT_THAT(longer.StartAgain(), IsOk());
  ASSERT_THAT(Append(longer, "elevenbytes"), IsOk());
  EXPECT_EQ(Open(10).position(), 0U);
}

TEST_F(PartialFileTest, TakesThePlaceOfAFileOfAnySizeAndHasNoneOfItsBytes) {
  for (const std::size_t length : {0U, 5U, 10U, 32U, 5000U}) {
    const Path spare = dir_.path() / "spare";
    ASSERT_THAT(AtomicWrite(spare, std::string(length, 'x')), IsOk());
    ASSERT_THAT(PartialFile::Reuse(spare, path(), 10), IsOk());
    EXPECT_FALSE(Exists(spare));
    PartialFile file = Open(10);
    EXPECT_EQ(file.position(), 0U);
    ASSERT_THAT(Append(file, "ten bytes."), IsOk());
    ASSERT_THAT(file.Finish(), IsOk());
    EXPECT_EQ(*ReadFile(path()), "ten bytes.");
  }
}

}  // namespace
}  // namespace fx
