#include "rpc/pbuf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/random.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using testing::ElementsAre;

// One tensor "w" = [1.5, -2.25] of round 7, as OpenFL writes it, field by field.
std::string SmallFile() {
  return std::string("\x0a\x1d", 2) +                          // tensors, 29 bytes
         "\x0a\x01w" +                                         // name
         "\x10\x07" +                                          // round_number
         "\x18\x01" +                                          // lossless
         "\x2a\x05model" +                                     // tags
         std::string("\x32\x03\x12\x01\x02", 5) +              // transformer_metadata: int_list [2]
         std::string("\x3a\x08\0\0\xc0\x3f\0\0\x10\xc0", 10);  // data_bytes
}

class Pbuf : public testing::Test {
 protected:
  Path Write(const std::string& bytes) {
    const Path path = folder_.path() / "given.pbuf";
    EXPECT_THAT(AtomicWrite(path, bytes), IsOk());
    return path;
  }
  Path path() const { return folder_.path() / "made.pbuf"; }

 private:
  TempDir folder_;
};

Model SmallModel() {
  Model model;
  model.push_back({.name = "w", .tensor = Tensor::FromFloats({2}, {{1.5F, -2.25F}})});
  return model;
}

TEST_F(Pbuf, ReadsWhatOpenFlWrites) {
  const auto read = ReadPbuf(Write(SmallFile()));
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->round, 7);
  ASSERT_EQ(read->model.size(), 1U);
  EXPECT_EQ(read->model[0].name, "w");
  EXPECT_THAT(read->model[0].tensor.shape(), ElementsAre(2));
  EXPECT_THAT(read->model[0].tensor.floats(), ElementsAre(1.5F, -2.25F));
}

TEST_F(Pbuf, WritesTheBytesOpenFlWrites) {
  ASSERT_THAT(WritePbuf(path(), SmallModel(), 7), IsOk());
  EXPECT_EQ(*ReadFile(path()), SmallFile());
}

TEST_F(Pbuf, WritesAModelFileAsItWritesItsModel) {
  const Path model_file = path().string() + ".fxm";
  ASSERT_THAT(WriteModelFile(model_file, SmallModel(), DigestKind::kFast), IsOk());
  ASSERT_THAT(WritePbuf(path(), *ModelFile::Open(model_file), 7), IsOk());
  EXPECT_EQ(*ReadFile(path()), SmallFile());
}

TEST_F(Pbuf, ScalarsEmptyTensorsAndRoundZeroSurvive) {
  Model model;
  model.push_back({.name = "scalar", .tensor = Tensor::FromFloats({}, {{4.0F}})});
  model.push_back({.name = "empty", .tensor = Tensor(Shape{3, 0})});
  model.push_back({.name = "matrix", .tensor = Tensor::FromFloats({1, 2}, {{5.0F, 6.0F}})});
  ASSERT_THAT(WritePbuf(path(), model, 0), IsOk());
  const auto read = ReadPbuf(path());
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->round, 0);
  EXPECT_EQ(LayoutOf(read->model), LayoutOf(model));
  EXPECT_THAT(read->model[0].tensor.floats(), ElementsAre(4.0F));
  EXPECT_THAT(read->model[2].tensor.floats(), ElementsAre(5.0F, 6.0F));
}

TEST_F(Pbuf, ReplacesAnOldFileAndLeavesNoTemporaryOne) {
  ASSERT_THAT(AtomicWrite(path(), "old"), IsOk());
  ASSERT_THAT(WritePbuf(path(), SmallModel(), 7), IsOk());
  EXPECT_THAT(*ListFolder(path().parent_path()), ElementsAre(path()));
}

TEST_F(Pbuf, RefusesToWriteWhatTheFormatCannotHold) {
  Model model;
  model.push_back({.name = "steps", .tensor = Tensor(DType::kInt64, {1})});
  EXPECT_THAT(WritePbuf(path(), model, 0),
              IsError(ErrorCode::kInvalidArgument, "tensor steps is int64"));
  EXPECT_FALSE(Exists(path()));
}

TEST_F(Pbuf, RefusesTheSameNameTwice) {
  EXPECT_THAT(ReadPbuf(Write(SmallFile() + SmallFile())),
              IsError(ErrorCode::kInvalidArgument, "tensor w appears twice"));
}

TEST_F(Pbuf, RefusesAShapeThatDoesNotFitTheBytes) {
  std::string bytes = SmallFile();
  bytes[20] = 3;  // the extent
  EXPECT_THAT(ReadPbuf(Write(bytes)),
              IsError(ErrorCode::kInvalidArgument,
                      "tensor w\n  because: shape [3] does not describe 8 bytes of float32"));
}

TEST_F(Pbuf, NamesThePipelineToBlameForALossyTensor) {
  std::string bytes = SmallFile();
  bytes[8] = 0;  // lossless
  EXPECT_THAT(ReadPbuf(Write(bytes)),
              IsError(ErrorCode::kInvalidArgument, "NoCompressionPipeline"));
}

TEST_F(Pbuf, RefusesAnEmptyFile) {
  EXPECT_THAT(ReadPbuf(Write("")), IsError(ErrorCode::kInvalidArgument, "it holds no tensors"));
}

TEST_F(Pbuf, RefusesEveryTruncation) {
  const std::string whole = SmallFile();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(ReadPbuf(Write(whole.substr(0, size))),
                IsError(ErrorCode::kInvalidArgument, "given.pbuf"))
        << size;
  }
}

TEST_F(Pbuf, ReadsOrRefusesAnyDamagedFileWithoutHarm) {
  int refused = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    RandomStream random(seed, "damage");
    std::string bytes = SmallFile();
    for (std::uint64_t flips = 1 + random.Below(4); flips > 0; --flips) {
      bytes[random.Below(bytes.size())] ^= static_cast<char>(1U << random.Below(8));
    }
    const auto read = ReadPbuf(Write(bytes));
    refused += read ? 0 : 1;
  }
  EXPECT_GT(refused, 200);
  EXPECT_LT(refused, 2000);  // flipped values and tags are not damage to the format
}

TEST_F(Pbuf, RefusesFieldNumbersThatProtobufDoesNotHave) {
  EXPECT_THAT(ReadPbuf(Write(SmallFile() + "\x10\1")), IsOk());
  EXPECT_THAT(ReadPbuf(Write(SmallFile() + std::string("\0\1", 2))),
              IsError(ErrorCode::kInvalidArgument, "a field has number 0"));
}

TEST_F(Pbuf, RefusesGarbage) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    RandomStream random(seed, "garbage");
    std::string bytes(1 + random.Below(200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.NextU32());
    EXPECT_FALSE(ReadPbuf(Write(bytes)).has_value()) << seed;
  }
}

}  // namespace
}  // namespace fx
