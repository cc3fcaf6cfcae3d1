#include "tasks/loaders/npz.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <map>

#include "core/base/format.h"
#include "tasks/loaders/npy_file.h"
#include "tests/support/matchers.h"
#include "tests/unit/tasks/gathered.h"

namespace fx::test {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::IsEmpty;

// As numpy.save writes it.
std::string Npy(const std::string& type, const std::string& shape, const std::string& values,
                const std::string& fortran = "False") {
  std::string header =
      format("{{'descr': '{}', 'fortran_order': {}, 'shape': {}, }}", type, fortran, shape);
  header.append(117 - header.size(), ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + values;
}

template <typename T>
std::string Raw(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) {
    const auto raw = std::bit_cast<std::array<char, sizeof(T)>>(value);
    bytes.append(raw.begin(), raw.end());
  }
  return bytes;
}

using Files = std::map<std::string, std::string>;

void WriteZip(const Path& path, const Files& files, bool stored) {
  archive* zip = archive_write_new();
  archive_write_set_format_zip(zip);
  if (stored) archive_write_zip_set_compression_store(zip);
  FX_CHECK(archive_write_open_filename(zip, path.c_str()) == ARCHIVE_OK);
  for (const auto& [name, bytes] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(bytes.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    FX_CHECK(archive_write_header(zip, entry) == ARCHIVE_OK);
    FX_CHECK(archive_write_data(zip, bytes.data(), bytes.size()) ==
             static_cast<la_ssize_t>(bytes.size()));
    archive_entry_free(entry);
  }
  FX_CHECK(archive_write_close(zip) == ARCHIVE_OK);
  archive_write_free(zip);
}

class NpzLoader : public ::testing::Test {
 protected:
  NpzLoader() {
    settings_.type = "NpzDataLoader";
    settings_.mean = 0.5;
    settings_.std = 0.5;
  }
  Result<std::unique_ptr<DataLoader>> Load(bool stored = true) {
    WriteZip(folder_.path() / "data.npz", files_, stored);
    return MakeDataLoader(settings_, folder_.path() / "data.npz");
  }
  void Refuses(const std::string& why) {
    const auto loader = Load();
    ASSERT_FALSE(loader.has_value());
    EXPECT_THAT(loader.error().Render(), ::testing::HasSubstr(why));
  }

  const TempDir folder_;
  DataLoaderSettings settings_;
  Files files_ = {{"x_train.npy", Npy("|u1", "(2, 1, 1, 2)", std::string("\x00\xff\x00\x00", 4))},
                  {"y_train.npy", Npy("<i8", "(2,)", Raw<std::int64_t>({1, 0}))},
                  {"x_test.npy", Npy("|u1", "(1, 1, 1, 2)", "\xff\xff")},
                  {"y_test.npy", Npy("<i8", "(1,)", Raw<std::int64_t>({1}))}};
};

TEST_F(NpzLoader, ReadsStoredAndDeflatedArchives) {
  for (const bool stored : {true, false}) {
    const auto loader = Load(stored).value();
    EXPECT_THAT(loader->train().sample_shape(), ElementsAre(1, 1, 2));
    EXPECT_THAT(loader->train().target_shape(), IsEmpty());
    const Gathered train = GatherAll(loader->train());
    EXPECT_THAT(train.samples, ElementsAre(-1, 1, -1, -1));
    EXPECT_THAT(train.targets, ElementsAre(1, 0));
    EXPECT_EQ(loader->validation().size(), 1);
  }
}

TEST_F(NpzLoader, ReadsAFolderOfArrays) {
  for (const auto& [name, bytes] : files_)
    FX_CHECK(AtomicWrite(folder_.path() / name, bytes).has_value());
  const auto loader = MakeDataLoader(settings_, folder_.path()).value();
  EXPECT_THAT(GatherAll(loader->validation()).samples, ElementsAre(1, 1));
}

TEST_F(NpzLoader, CutsByLabel) {
  settings_.dataset = folder_.path() / "data.npz";
  settings_.collaborator_count = 2;
  settings_.split = {.type = SplitType::kPathological, .shards_per_site = 1};
  files_["x_test.npy"] = files_["x_train.npy"];
  files_["y_test.npy"] = files_["y_train.npy"];
  ASSERT_THAT(Load(), IsOk());
  const auto first = MakeDataLoader(settings_, "1").value();
  const auto second = MakeDataLoader(settings_, "2").value();
  EXPECT_NE(GatherAll(first->train()).targets, GatherAll(second->train()).targets);
  EXPECT_EQ(GatherAll(first->train()).targets, GatherAll(first->validation()).targets);
}

TEST_F(NpzLoader, RefusesWhatDoesNotPairUp) {
  files_["y_test.npy"] = Npy("<i8", "(2,)", Raw<std::int64_t>({1, 1}));
  Refuses("x_test is [1, 1, 1, 2] and y_test [2]");
  files_["y_test.npy"] = Npy("<f4", "(1, 1)", Raw<float>({1}));
  Refuses("training targets are [], validation targets [1]");
  files_.erase("y_test.npy");
  Refuses("there is no array y_test");
}

TEST_F(NpzLoader, RefusesADamagedArchive) {
  ASSERT_THAT(Load(false), IsOk());
  std::string bytes = *ReadFile(folder_.path() / "data.npz");
  for (std::size_t i = 60; i < 90; ++i) bytes[i] = 'x';
  FX_CHECK(AtomicWrite(folder_.path() / "data.npz", bytes).has_value());
  EXPECT_FALSE(MakeDataLoader(settings_, folder_.path() / "data.npz").has_value());
  FX_CHECK(AtomicWrite(folder_.path() / "data.npz", "no archive").has_value());
  EXPECT_THAT(MakeDataLoader(settings_, folder_.path() / "data.npz"),
              IsError(ErrorCode::kDataLoss, "data.npz"));
}

TEST(Npy, ConvertsEveryTypeToFloat) {
  const auto values = [](const std::string& type, const std::string& raw) {
    return ParseNpy(Npy(type, "(2,)", raw), "a").value().values;
  };
  EXPECT_THAT(values("<f4", Raw<float>({1.5, -2})), ElementsAre(1.5, -2));
  EXPECT_THAT(values("<f8", Raw<double>({1.5, -2})), ElementsAre(1.5, -2));
  EXPECT_THAT(values("<i8", Raw<std::int64_t>({3, -4})), ElementsAre(3, -4));
  EXPECT_THAT(values("<i4", Raw<std::int32_t>({3, -4})), ElementsAre(3, -4));
  EXPECT_THAT(values("<i2", Raw<std::int16_t>({3, -4})), ElementsAre(3, -4));
  EXPECT_THAT(values("<u2", Raw<std::uint16_t>({3, 65535})), ElementsAre(3, 65535));
  EXPECT_THAT(values("|i1", Raw<std::int8_t>({3, -4})), ElementsAre(3, -4));
  EXPECT_THAT(ParseNpy(Npy("|b1", "(2,)", "\x01\x01"), "a").value().bytes, ElementsAre(1, 1));
}

TEST(Npy, RefusesWhatItCannotTakeAsItIs) {
  const auto refuses = [](const std::string& text, const std::string& why) {
    const auto array = ParseNpy(text, "a.npy");
    ASSERT_FALSE(array.has_value()) << why;
    EXPECT_THAT(array.error().Render(), ::testing::HasSubstr(why));
  };
  const std::string two = Raw<float>({1, 2});
  refuses(Npy("<f4", "(2,)", two, "True"), "a.npy: is in Fortran order");
  refuses(Npy(">f4", "(2,)", two), "expected little-endian numbers");
  refuses(Npy("<c8", "(1,)", two), "holds values of type c8");
  refuses(Npy("<f4", "(3,)", two), "has 8 bytes of values, but its shape [3] needs 12");
  refuses(Npy("<f4", "(1,)", two), "has 8 bytes of values, but its shape [1] needs 4");
  refuses(Npy("<f4", "(0,)", ""), "a.npy: is empty");
  refuses(Npy("<f4", "(-1,)", two), "has no shape");
  refuses(Npy("<f4", "(4611686018427387904, 4)", two), "more than is read");
  refuses(Npy("<f4", "(2,)", Raw<float>({1, NAN})), "a.npy: value 1 is not a finite float32");
  refuses(Npy("<f8", "(1,)", Raw<double>({1e300})), "value 0 is not a finite float32");
  refuses("PK", "it does not begin with");
  refuses(Npy("<f4", "(2,)", two).substr(0, 50), "truncated in its header");
}

}  // namespace
}  // namespace fx::test
