#include "core/tensor/model_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/digest.h"
#include "core/base/random.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using testing::ElementsAre;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

TensorSpec Spec(std::string name, Shape shape, DType dtype = DType::kFloat32) {
  return {.name = std::move(name), .dtype = dtype, .shape = std::move(shape)};
}

Layout SomeLayout() {
  return {Spec("conv1.weight", {20, 1, 5, 5}), Spec("conv1.bias", {20}), Spec("empty", {0, 3}),
          Spec("steps", {}, DType::kInt64), Spec("var", {3}, DType::kFloat64)};
}

Model SomeModel() {
  Model model;
  RandomStream stream(1, "test");
  for (const TensorSpec& spec : SomeLayout()) {
    Tensor tensor(spec.dtype, spec.shape);
    for (std::byte& b : tensor.bytes()) b = static_cast<std::byte>(stream.NextU32());
    model.push_back({spec.name, std::move(tensor)});
  }
  return model;
}

void ExpectSameModel(const Model& actual, const Model& expected) {
  ASSERT_EQ(LayoutOf(actual), LayoutOf(expected));
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(actual[i].tensor.bytes(), expected[i].tensor.bytes())) << i;
  }
}

Result<Layout> Decode(std::string_view bytes) {
  return DecodeModelHeader(AsBytes(bytes));
}

// A header written by hand, so that the reader is judged by bytes its own writer did not make.
class HeaderBytes {
 public:
  explicit HeaderBytes(std::uint32_t tensors) { Number(tensors); }

  template <typename T>
  HeaderBytes& Number(T value) {
    for (std::size_t i = 0; i < sizeof value; ++i) {
      body_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xFF);
    }
    return *this;
  }
  HeaderBytes& Tensor(std::string_view name, int dtype, const Shape& shape) {
    Number(static_cast<std::uint16_t>(name.size()));
    body_ += name;
    Number(static_cast<std::uint8_t>(dtype)).Number(static_cast<std::uint8_t>(shape.size()));
    for (const std::int64_t extent : shape) Number(extent);
    return *this;
  }
  std::string File() const {
    HeaderBytes size(static_cast<std::uint32_t>(body_.size()));
    std::string file = "FXMODEL1" + size.body_ + std::string(4, '\0') + body_;
    file.resize((file.size() + 63) / 64 * 64, '\0');
    return file;
  }

 private:
  std::string body_;
};

class ModelFileTest : public testing::Test {
 protected:
  Path In(std::string_view name) const { return dir_.path() / name; }
  TempDir dir_;
};

TEST_F(ModelFileTest, ReadsBackWhatWasWritten) {
  const Model model = SomeModel();
  ASSERT_THAT(WriteModelFile(In("m"), model, DigestKind::kFast), IsOk());
  const ModelFile file = ModelFile::Open(In("m")).value();
  EXPECT_EQ(file.layout(), SomeLayout());
  ExpectSameModel(file.Load(), model);
  EXPECT_TRUE(std::ranges::equal(file.floats(1), model[1].tensor.floats()));
  EXPECT_TRUE(std::ranges::equal(file.tensor_bytes(3), model[3].tensor.bytes()));
}

TEST_F(ModelFileTest, ReportsTheSizeAndDigestOfWhatItWrote) {
  const WrittenModel fast = WriteModelFile(In("m"), SomeModel(), DigestKind::kFast).value();
  const WrittenModel sha = WriteModelFile(In("n"), SomeModel(), DigestKind::kSha256).value();
  const std::string bytes = ReadFile(In("m")).value();
  EXPECT_THAT(ReadFile(In("n")), IsOkAndHolds(bytes));
  FastDigest digest;
  digest.Update(AsBytes(bytes));
  EXPECT_EQ(fast.size, bytes.size());
  EXPECT_EQ(fast.digest, std::move(digest).FinishHex());
  EXPECT_EQ(sha.digest, Sha256Hex(AsBytes(bytes)));
  EXPECT_THAT(ModelFileSha256(In("m")), IsOkAndHolds(sha.digest));
}

TEST_F(ModelFileTest, PutsEveryTensorWhereTheMapSays) {
  const ModelFileMap map = MapModelFile(SomeLayout());
  const Model model = SomeModel();
  ASSERT_THAT(WriteModelFile(In("m"), model, DigestKind::kFast), IsOk());
  const std::string bytes = ReadFile(In("m")).value();
  EXPECT_EQ(map.size, bytes.size());
  EXPECT_EQ(map.data_begin, EncodeModelHeader(SomeLayout()).size());
  for (std::size_t i = 0; i < model.size(); ++i) {
    EXPECT_EQ(map.offsets[i] % 64, 0U);
    const auto expected = model[i].tensor.bytes();
    EXPECT_TRUE(std::ranges::equal(
        AsBytes(std::string_view(bytes).substr(map.offsets[i], expected.size())), expected));
  }
}

TEST_F(ModelFileTest, HoldsAModelWithoutTensors) {
  ASSERT_THAT(WriteModelFile(In("m"), {}, DigestKind::kFast), IsOk());
  EXPECT_TRUE(ModelFile::Open(In("m")).value().layout().empty());
}

TEST_F(ModelFileTest, WritesModelsLargerThanOneBlock) {
  Model model;
  model.push_back({"big", Tensor({300'001})});
  model[0].tensor.floats()[300'000] = 1.5F;
  ASSERT_THAT(WriteModelFile(In("m"), model, DigestKind::kSha256), IsOk());
  ExpectSameModel(ModelFile::Open(In("m")).value().Load(), model);
}

TEST_F(ModelFileTest, RefusesAFileOfAnotherSize) {
  ASSERT_THAT(WriteModelFile(In("m"), SomeModel(), DigestKind::kFast), IsOk());
  const std::string bytes = ReadFile(In("m")).value();
  ASSERT_THAT(AtomicWrite(In("m"), bytes.substr(0, bytes.size() - 1)), IsOk());
  EXPECT_THAT(ModelFile::Open(In("m")),
              IsError(ErrorCode::kInvalidArgument, "expected " + std::to_string(bytes.size())));
  ASSERT_THAT(AtomicWrite(In("m"), bytes + "x"), IsOk());
  EXPECT_THAT(ModelFile::Open(In("m")),
              IsError(ErrorCode::kInvalidArgument, "cannot use the model"));
}

TEST_F(ModelFileTest, RefusesBytesHiddenBetweenTensors) {
  ASSERT_THAT(WriteModelFile(In("m"), SomeModel(), DigestKind::kFast), IsOk());
  std::string bytes = ReadFile(In("m")).value();
  bytes[MapModelFile(SomeLayout()).offsets[2] - 1] = 'x';
  ASSERT_THAT(AtomicWrite(In("m"), bytes), IsOk());
  EXPECT_THAT(ModelFile::Open(In("m")),
              IsError(ErrorCode::kInvalidArgument, "padding before tensor empty"));
}

TEST_F(ModelFileTest, RefusesToWriteWhatItWouldRefuseToRead) {
  Model twins;
  twins.push_back({"w", Tensor({1})});
  twins.push_back({"w", Tensor({1})});
  EXPECT_THAT(WriteModelFile(In("m"), twins, DigestKind::kFast),
              IsError(ErrorCode::kInvalidArgument, "two tensors are named w"));
  Model nameless;
  nameless.push_back({"", Tensor({1})});
  EXPECT_THAT(WriteModelFile(In("m"), nameless, DigestKind::kFast),
              IsError(ErrorCode::kInvalidArgument, "empty name"));
  EXPECT_FALSE(Exists(In("m")));
}

TEST_F(ModelFileTest, SaysWhenTheDeviceIsFullAndLeavesNothing) {
  std::filesystem::create_symlink("/dev/full", In("full"));
  EXPECT_THAT(WriteModelFile(In("full"), SomeModel(), DigestKind::kFast),
              IsError(ErrorCode::kResourceExhausted, "No space left on device"));
  EXPECT_FALSE(Exists(In("full")));
}

TEST(ModelHeader, ReadsBackWhatWasEncoded) {
  const std::string bytes = EncodeModelHeader(SomeLayout());
  EXPECT_EQ(bytes.size() % 64, 0U);
  EXPECT_THAT(Decode(bytes), IsOkAndHolds(SomeLayout()));
  EXPECT_THAT(Decode(bytes + "and more"), IsOkAndHolds(SomeLayout()));
}

TEST(ModelHeader, IsWhatTheFormatSays) {
  const std::string by_hand = HeaderBytes(2).Tensor("w", 1, {2, 3}).Tensor("steps", 4, {}).File();
  EXPECT_EQ(EncodeModelHeader({Spec("w", {2, 3}), Spec("steps", {}, DType::kInt64)}), by_hand);
}

TEST(ModelHeader, RefusesAnotherMagicOrVersion) {
  std::string bytes = EncodeModelHeader(SomeLayout());
  bytes[7] = '2';
  EXPECT_THAT(Decode(bytes), IsError(ErrorCode::kInvalidArgument, "version 0x32, expected"));
  bytes[0] = 'f';
  EXPECT_THAT(Decode(bytes), IsError(ErrorCode::kInvalidArgument, "is not a model file"));
}

TEST(ModelHeader, RefusesAReservedNumberInUse) {
  std::string bytes = EncodeModelHeader(SomeLayout());
  bytes[12] = 1;
  EXPECT_THAT(Decode(bytes), IsError(ErrorCode::kInvalidArgument, "is not zero"));
}

TEST(ModelHeader, RefusesEveryTruncation) {
  const std::string bytes = EncodeModelHeader(SomeLayout());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_THAT(Decode(std::string_view(bytes).substr(0, n)),
                IsError(ErrorCode::kInvalidArgument, n < 16 ? "too few" : "cut off"));
  }
}

TEST(ModelHeader, RefusesToBeLargerThanTheLimit) {
  std::string bytes = EncodeModelHeader({});
  const std::uint32_t size = kMaxModelHeader + 1;
  std::memcpy(bytes.data() + 8, &size, sizeof size);
  EXPECT_THAT(Decode(bytes), IsError(ErrorCode::kInvalidArgument, "claims 8388609 bytes"));
}

TEST(ModelHeader, RefusesMoreTensorsThanTheLimit) {
  EXPECT_THAT(Decode(HeaderBytes(100'001).File()),
              IsError(ErrorCode::kInvalidArgument, "100001 tensors, expected at most 100000"));
}

TEST(ModelHeader, RefusesACountThatTheBytesDoNotHold) {
  EXPECT_THAT(Decode(HeaderBytes(2).Tensor("w", 1, {1}).File()),
              IsError(ErrorCode::kInvalidArgument, "tensor number 1"));
  EXPECT_THAT(Decode(HeaderBytes(0).Tensor("w", 1, {1}).File()),
              IsError(ErrorCode::kInvalidArgument, "13 bytes too many"));
}

TEST(ModelHeader, RefusesToEndWithinAField) {
  HeaderBytes name(1);
  name.Number(std::uint16_t{50});
  EXPECT_THAT(Decode(name.File()), IsError(ErrorCode::kInvalidArgument, "name of a tensor"));
  HeaderBytes shape(1);
  shape.Number(std::uint16_t{1}).Number('w').Number(std::uint8_t{1}).Number(std::uint8_t{2});
  EXPECT_THAT(Decode(shape.File()), IsError(ErrorCode::kInvalidArgument, "shape of a tensor"));
}

TEST(ModelHeader, RefusesNamesThatAreEmptyLongTwiceOrUnprintable) {
  EXPECT_THAT(Decode(HeaderBytes(1).Tensor("", 1, {1}).File()),
              IsError(ErrorCode::kInvalidArgument, "tensor number 0 has an empty name"));
  EXPECT_THAT(Decode(HeaderBytes(1).Tensor(std::string(1025, 'n'), 1, {1}).File()),
              IsError(ErrorCode::kInvalidArgument, "name of 1025 bytes, expected at most 1024"));
  EXPECT_THAT(Decode(HeaderBytes(2).Tensor("w", 1, {1}).Tensor("w", 2, {2}).File()),
              IsError(ErrorCode::kInvalidArgument, "two tensors are named w"));
  EXPECT_THAT(Decode(HeaderBytes(1).Tensor("a\nb", 1, {1}).File()),
              IsError(ErrorCode::kInvalidArgument, "control character"));
}

TEST(ModelHeader, RefusesUnknownTypesAndTooManyExtents) {
  EXPECT_THAT(Decode(HeaderBytes(1).Tensor("w", 0, {1}).File()),
              IsError(ErrorCode::kInvalidArgument, "element type 0"));
  EXPECT_THAT(Decode(HeaderBytes(1).Tensor("w", 5, {1}).File()),
              IsError(ErrorCode::kInvalidArgument, "element type 5"));
  EXPECT_THAT(Decode(HeaderBytes(1).Tensor("w", 1, Shape(12, 1)).File()), IsOk());
  EXPECT_THAT(Decode(HeaderBytes(1).Tensor("w", 1, Shape(13, 1)).File()),
              IsError(ErrorCode::kInvalidArgument, "13 extents, expected at most 12"));
}

TEST(ModelHeader, RefusesNegativeAndOverflowingExtents) {
  const Shape shapes[] = {{-1},
                          {kHuge},
                          {kHuge, kHuge},
                          {1LL << 32, 1LL << 32},
                          {kHuge, 0},
                          {0, kHuge},
                          {-1, -1},
                          {1LL << 41},
                          {1 << 20, 1 << 20, 1 << 20, 1 << 20}};
  for (const Shape& shape : shapes) {
    EXPECT_THAT(Decode(HeaderBytes(1).Tensor("w", 1, shape).File()),
                IsError(ErrorCode::kInvalidArgument, "tensor w of shape " + ToString(shape)));
  }
  EXPECT_THAT(Decode(HeaderBytes(1).Tensor("w", 1, {1LL << 40}).File()), IsOk());
}

TEST(ModelHeader, RefusesTensorsThatOnlyTogetherAreTooLarge) {
  EXPECT_THAT(Decode(HeaderBytes(2).Tensor("a", 1, {1LL << 40}).Tensor("b", 1, {1}).File()),
              IsError(ErrorCode::kInvalidArgument, "tensor b"));
}

TEST(ModelHeader, RefusesPaddingThatIsNotZero) {
  std::string bytes = EncodeModelHeader({Spec("w", {1})});
  bytes.back() = 1;
  EXPECT_THAT(Decode(bytes), IsError(ErrorCode::kInvalidArgument, "padding after the header"));
}

// Whatever arrives, a header is refused with words or is the one encoding of its layout.
void ExpectRefusedOrCanonical(std::string_view bytes, const std::string& seed) {
  const Result<Layout> layout = Decode(bytes);
  if (!layout) {
    EXPECT_FALSE(layout.error().message().empty()) << seed;
    return;
  }
  const std::string again = EncodeModelHeader(*layout);
  EXPECT_EQ(bytes.substr(0, again.size()), again) << seed;
  EXPECT_LE(MapModelFile(*layout).size, 2 * kMaxModelBytes) << seed;
}

TEST(ModelHeaderProperty, NoGarbageIsMisread) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    RandomStream stream(seed, "garbage");
    std::string bytes = "FXMODEL1";
    const std::uint32_t claimed = static_cast<std::uint32_t>(stream.Below(300));
    bytes.append(reinterpret_cast<const char*>(&claimed), 4).append(4, '\0');
    const std::uint64_t size = stream.Below(400);
    // Small numbers mostly, or the tensor count alone would refuse nearly all.
    for (std::uint64_t i = 0; i < size; ++i) {
      bytes += static_cast<char>(stream.Below(4) == 0 ? stream.Below(256) : stream.Below(3));
    }
    ExpectRefusedOrCanonical(bytes, "seed " + std::to_string(seed));
  }
}

TEST(ModelHeaderProperty, NoFlippedBitIsMisread) {
  const std::string bytes = EncodeModelHeader(SomeLayout());
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    ExpectRefusedOrCanonical(flipped, "bit " + std::to_string(bit));
    EXPECT_NE(Decode(flipped).value_or(Layout{}), SomeLayout()) << bit;
  }
}

TEST(ModelHeaderProperty, AnyLayoutReadsBack) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RandomStream stream(seed, "layout");
    Layout layout;
    const std::uint64_t tensors = stream.Below(20);
    for (std::uint64_t i = 0; i < tensors; ++i) {
      Shape shape;
      const std::uint64_t rank = stream.Below(kMaxRank + 1);
      for (std::uint64_t d = 0; d < rank; ++d) {
        shape.push_back(static_cast<std::int64_t>(stream.Below(5)));
      }
      layout.push_back(
          Spec("t" + std::to_string(i), shape, static_cast<DType>(1 + stream.Below(4))));
    }
    EXPECT_THAT(Decode(EncodeModelHeader(layout)), IsOkAndHolds(layout)) << "seed " << seed;
  }
}

// The bytes of the hex dump that follows the mark <!-- example --> of a page.
std::string ExampleOf(const std::string& page) {
  std::istringstream lines(page.substr(page.find("<!-- example -->")));
  std::string bytes;
  std::string line;
  std::getline(lines, line);
  std::getline(lines, line);
  while (std::getline(lines, line) && line != "```") {
    std::istringstream numbers(line.substr(8));
    int number = 0;
    while (numbers >> std::hex >> number) bytes += static_cast<char>(number);
  }
  return bytes;
}

TEST(ModelFormat, TheExampleInTheDocumentIsWhatIsWritten) {
  const Path page_path = Path(FX_SOURCE_DIR) / "docs/internals/model-format.md";
  const std::string page = ReadFile(page_path).value();
  const std::string example = ExampleOf(page);
  Model model;
  model.push_back({"w", Tensor::FromFloats({2}, std::vector{1.0F, -2.0F})});
  model.push_back({"steps", Tensor(DType::kInt64, {})});
  model[1].tensor.bytes()[0] = std::byte{3};

  const TempDir dir;
  const Path path = dir.path() / "m";
  const WrittenModel written = WriteModelFile(path, model, DigestKind::kSha256).value();
  EXPECT_EQ(Hex(AsBytes(ReadFile(path).value())), Hex(AsBytes(example)));
  EXPECT_THAT(page, testing::HasSubstr("`" + written.digest + "`"));
  EXPECT_THAT(Decode(example), IsOkAndHolds(LayoutOf(model)));
}

}  // namespace
}  // namespace fx
