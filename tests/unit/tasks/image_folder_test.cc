#include "tasks/loaders/image_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "core/base/format.h"
#include "tasks/loaders/image_file.h"
#include "tests/support/matchers.h"
#include "tests/unit/tasks/gathered.h"

namespace fx::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A binary PGM or PPM.
std::string Pgm(int width, int height, const std::string& pixels) {
  return format("P5\n{} {}\n255\n{}", width, height, pixels);
}
std::string Ppm(int width, int height, const std::string& pixels) {
  return format("P6\n{} {}\n255\n{}", width, height, pixels);
}

std::string BigEndian(std::uint64_t value) {
  std::string bytes;
  for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string PngChunk(const std::string& type, const std::string& data) {
  const std::string covered = type + data;
  const auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(covered.data()), covered.size());
  return BigEndian(data.size()) + covered + BigEndian(crc);
}

// A grey PNG that says that it is so high and wide, and holds nothing.
std::string EmptyPng(unsigned extent) {
  const std::string kind("\x08\0\0\0\0", 5);
  return "\x89PNG\r\n\x1a\n" + PngChunk("IHDR", BigEndian(extent) + BigEndian(extent) + kind) +
         PngChunk("IEND", "");
}

class ImageFolder : public ::testing::Test {
 protected:
  ImageFolder() {
    settings_.type = "ImageFolderDataLoader";
    settings_.classes = {"cat", "dog"};
    settings_.validation_share = 0.5;
  }
  void Write(const Path& name, const std::string& bytes) const {
    const Path path = folder_.path() / name;
    FX_CHECK(MakeFolders(path.parent_path()).has_value());
    FX_CHECK(AtomicWrite(path, bytes).has_value());
  }
  Result<std::unique_ptr<DataLoader>> Load() const {
    return MakeDataLoader(settings_, folder_.path());
  }

  const TempDir folder_;
  DataLoaderSettings settings_;
};

TEST_F(ImageFolder, TakesClassesFromFoldersInThePlansOrder) {
  Write("train/dog/a.pgm", Pgm(2, 1, "\xff\x01"));
  Write("train/cat/b.pgm", Pgm(2, 1, std::string("\0\xff", 2)));
  Write("validation/dog/c.pgm", Pgm(2, 1, "\xff\xff"));
  const auto loader = Load().value();
  EXPECT_THAT(loader->train().sample_shape(), ElementsAre(1, 1, 2));
  EXPECT_THAT(loader->train().target_shape(), IsEmpty());
  const Gathered train = GatherAll(loader->train());
  EXPECT_THAT(train.samples, ElementsAre(0, 1, 1, 1.0F / 255));
  EXPECT_THAT(train.targets, ElementsAre(0, 1));
  EXPECT_THAT(GatherAll(loader->validation()).targets, ElementsAre(1));
}

TEST_F(ImageFolder, ReadsColoursAChannelAfterTheOtherEachWithItsScale) {
  settings_.image.channels = 3;
  settings_.channels = {{.mean = 0, .std = 1}, {.mean = 1, .std = 1}, {.mean = 0, .std = 0.5}};
  const std::string red_and_blue("\xff\0\0\0\0\xff", 6);
  Write("train/cat/a.ppm", Ppm(2, 1, red_and_blue));
  Write("validation/cat/a.ppm", Ppm(2, 1, red_and_blue));
  EXPECT_THAT(GatherAll(Load().value()->train()).samples, ElementsAre(1, 0, -1, -1, 0, 2));
}

TEST_F(ImageFolder, PairsPicturesWithMasks) {
  settings_.task = DataTask::kSegmentation;
  for (const char* name : {"1", "2"}) {
    Write(format("images/{}.pgm", name), Pgm(2, 1, "\x10\x20"));
    Write(format("masks/{}.pgm", name), Pgm(2, 1, std::string("\0\xff", 2)));
  }
  const auto loader = Load().value();
  EXPECT_THAT(loader->train().target_shape(), ElementsAre(1, 1, 2));
  EXPECT_THAT(GatherAll(loader->train()).targets, ElementsAre(0, 1));
  Write("images/3.pgm", Pgm(2, 1, "xx"));
  EXPECT_THAT(Load(), IsError(ErrorCode::kNotFound, "3.pgm has no mask"));
  Write("masks/3.pgm", Pgm(1, 1, "x"));
  EXPECT_THAT(Load(), IsError(ErrorCode::kInvalidArgument, "but its picture 1 x 2"));
}

TEST_F(ImageFolder, ResizesOrRefusesPicturesOfOtherSizes) {
  Write("cat/a.pgm", Pgm(2, 2, "\x20\x20\x20\x20"));
  Write("dog/b.pgm", Pgm(4, 1, "\x20\x20\x20\x20"));
  EXPECT_THAT(Load(), IsError(ErrorCode::kInvalidArgument,
                              "dog/b.pgm is 1 x 4 pixels, but those before it 2 x 2"));
  settings_.image.size = {3, 3};
  const Gathered train = GatherAll(Load().value()->train());
  EXPECT_EQ(train.samples.size(), 9U);
  EXPECT_THAT(train.samples, Each(32.0F / 255));
}

TEST_F(ImageFolder, NamesADamagedPicture) {
  Write("cat/a.pgm", Pgm(2, 2, "abcd"));
  Write("cat/b.png", "\x89PNG\r\n\x1a\n and then nothing");
  EXPECT_THAT(Load(), IsError(ErrorCode::kDataLoss, "cat/b.png: the picture is damaged"));
  Write("cat/b.png", Pgm(30000, 30000, "abcd"));
  EXPECT_THAT(Load(), IsError(ErrorCode::kResourceExhausted, "b.png: is 30000 x 30000 pixels"));
  Write("cat/b.png", EmptyPng(8000));
  EXPECT_THAT(Load(), IsError(ErrorCode::kDataLoss, "it claims 8000 x 8000 pixels in 45 bytes"));
  Write("cat/b.png", Pgm(2, 2, "abc"));
  EXPECT_THAT(Load(), IsError(ErrorCode::kDataLoss,
                              "cat/b.png: the picture is damaged, or none: "
                              "the file is truncated"));
}

TEST_F(ImageFolder, RefusesAFolderThatIsNoClassAndOneWithoutPictures) {
  EXPECT_THAT(Load(), IsError(ErrorCode::kNotFound, "there are no pictures"));
  Write("cat/a.pgm", Pgm(1, 1, "a"));
  Write("dgo/a.pgm", Pgm(1, 1, "a"));
  EXPECT_THAT(Load(), IsError(ErrorCode::kInvalidArgument, "dgo is not among the plan's classes"));
}

TEST_F(ImageFolder, VariesPicturesAndMasksAlikeInTrainingOnly) {
  settings_.task = DataTask::kSegmentation;
  settings_.augment = {.flip = Flip::kBoth, .crop_padding = 1};
  const std::string pixels("\0\xff\xff\0\0\0\0\xff\xff", 9);
  for (const char* name : {"1", "2"}) {
    Write(format("images/{}.pgm", name), Pgm(3, 3, pixels));
    Write(format("masks/{}.pgm", name), Pgm(3, 3, pixels));
  }
  const auto loader = Load().value();
  const std::uint32_t first = 0;
  const std::vector<float> plain = GatherAll(loader->train()).samples;
  std::vector<float> sample(9), target(9);
  int changed = 0;
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    loader->train().GatherVaried(draw, {&first, 1}, sample, target);
    EXPECT_EQ(sample, target) << "the mask is the picture here";
    changed += sample != plain ? 1 : 0;
    loader->validation().GatherVaried(draw, {&first, 1}, sample, target);
    EXPECT_EQ(sample, plain);
  }
  EXPECT_GT(changed, 10);
}

TEST(ReadPicture, ReadsPng) {
  const TempDir folder;
  const Path script = folder.path() / "make.py";
  // 2 x 1 grey, 8 bits, written by hand: Debian's Python has zlib.
  FX_CHECK(AtomicWrite(script,
                       "import struct, zlib, sys\n"
                       "def chunk(t, d): return struct.pack('>I', len(d)) + t + d + "
                       "struct.pack('>I', zlib.crc32(t + d))\n"
                       "open(sys.argv[1], 'wb').write(b'\\x89PNG\\r\\n\\x1a\\n' + "
                       "chunk(b'IHDR', struct.pack('>IIBBBBB', 2, 1, 8, 0, 0, 0, 0)) + "
                       "chunk(b'IDAT', zlib.compress(b'\\0\\x07\\xc8')) + chunk(b'IEND', b''))\n")
               .has_value());
  const Path png = folder.path() / "a.PNG";
  const std::string command = format("/usr/bin/python3 '{}' '{}'", script.string(), png.string());
  FILE* python = popen(command.c_str(), "r");
  ASSERT_NE(python, nullptr);
  ASSERT_EQ(pclose(python), 0);
  EXPECT_TRUE(IsPictureName(png));
  EXPECT_THAT(ReadPicture(png, 1).value().pixels, ElementsAre(7, 200));
  EXPECT_THAT(ReadPicture(png, 3).value().pixels, ElementsAre(7, 200, 7, 200, 7, 200));
}

TEST(Resize, InterpolatesOrTakesTheNearest) {
  const Picture two{.channels = 1, .height = 1, .width = 2, .pixels = {0, 100}};
  EXPECT_THAT(Resize(two, {1, 4}, Scaling::kBilinear).pixels, ElementsAre(0, 25, 75, 100));
  EXPECT_THAT(Resize(two, {2, 4}, Scaling::kNearest).pixels,
              ElementsAre(0, 0, 100, 100, 0, 0, 100, 100));
}

}  // namespace
}  // namespace fx::test
