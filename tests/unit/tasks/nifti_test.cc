#include "tasks/loaders/nifti.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "tasks/loaders/nifti_file.h"
#include "tests/support/matchers.h"
#include "tests/unit/tasks/gathered.h"
#include "tests/unit/tasks/idx_files.h"

namespace fx::test {
namespace {

using ::testing::ElementsAre;

// A NIfTI-1 file of 16-bit values 0, 1, 2 ... in its order, with `first` instead of the first.
// Header: https://nifti.nimh.nih.gov/nifti-1, field by field.
std::string Nifti(std::array<std::int16_t, 3> extents, std::int16_t first = 0, float slope = 0) {
  std::string bytes(352, '\0');
  const auto put = [&](std::size_t at, auto value) {
    std::memcpy(bytes.data() + at, &value, sizeof(value));
  };
  put(0, std::int32_t{348});
  put(40, std::int16_t{3});
  for (std::size_t axis = 0; axis < 3; ++axis) put(42 + 2 * axis, extents[axis]);
  for (std::size_t axis = 3; axis < 7; ++axis) put(42 + 2 * axis, std::int16_t{1});
  put(70, std::int16_t{4});  // signed 16 bits
  put(72, std::int16_t{16});
  for (std::size_t axis = 0; axis < 4; ++axis) put(76 + 4 * axis, 1.0F);
  put(108, 352.0F);
  put(112, slope);
  put(116, slope == 0 ? 0.0F : 1.0F);
  std::memcpy(bytes.data() + 344, "n+1", 4);
  const int count = extents[0] > 100 ? 100 : extents[0] * extents[1] * extents[2];
  for (int i = 0; i < count; ++i) {
    const auto value = static_cast<std::int16_t>(i == 0 ? first : i);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return bytes;
}

std::vector<float> First(std::size_t count, std::vector<float> values) {
  values.resize(count);
  return values;
}

class NiftiLoader : public ::testing::Test {
 protected:
  NiftiLoader() {
    settings_.type = "NiftiDataLoader";
    settings_.task = DataTask::kSegmentation;
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

TEST_F(NiftiLoader, CutsAcrossEachAxis) {
  Write("train/a.nii", Nifti({2, 3, 4}));
  Write("validation/a.nii.gz", Gzip(Nifti({2, 3, 4})));
  const auto loader = Load().value();
  EXPECT_EQ(loader->train().size(), 4);
  EXPECT_THAT(loader->train().sample_shape(), ElementsAre(1, 3, 2));
  const Gathered train = GatherAll(loader->train());
  EXPECT_THAT(std::span(train.samples).subspan(6, 6), ElementsAre(6, 7, 8, 9, 10, 11));
  EXPECT_EQ(GatherAll(loader->validation()).samples, train.samples);
  settings_.volume.axis = 1;
  const auto across = Load().value();
  EXPECT_THAT(across->train().sample_shape(), ElementsAre(1, 4, 2));
  EXPECT_THAT(First(4, GatherAll(across->train()).samples), ElementsAre(0, 1, 6, 7));
  settings_.volume.axis = 0;
  EXPECT_THAT(First(4, GatherAll(Load().value()->train()).samples), ElementsAre(0, 2, 4, 6));
}

TEST_F(NiftiLoader, LabelsWhatIsNotZeroOrTheLabelVolumes) {
  Write("a.nii", Nifti({2, 1, 3}));
  const Gathered self = GatherAll(Load().value()->train());
  EXPECT_THAT(std::span(self.targets).first(2), ElementsAre(0, 1));
  settings_.volume.label_nonzero = false;
  EXPECT_THAT(Load(), IsError(ErrorCode::kNotFound, "a.nii has no label: there is no"));
  Write("labels/a.nii", Nifti({2, 1, 3}, 5));
  EXPECT_THAT(First(2, GatherAll(Load().value()->train()).targets), ElementsAre(1, 1));
  Write("labels/a.nii", Nifti({2, 1, 4}));
  EXPECT_THAT(Load(), IsError(ErrorCode::kInvalidArgument, "labels/a.nii has other extents"));
}

TEST_F(NiftiLoader, NormalisesAndCropsAndPads) {
  settings_.mean = 1;
  settings_.std = 2;
  settings_.image.size = {1, 4};
  Write("a.nii", Nifti({2, 3, 2}));
  const auto loader = Load().value();
  EXPECT_THAT(loader->train().sample_shape(), ElementsAre(1, 1, 4));
  EXPECT_THAT(GatherAll(loader->train()).samples, ElementsAre(-0.5, 0.5, 1, -0.5));
  settings_.image.size = {0, 0};
  settings_.volume.standardise = true;
  const Gathered train = GatherAll(Load().value()->train());
  EXPECT_NEAR(train.samples[0], -5.5 / std::sqrt(143.0 / 12), 1e-5);
}

TEST_F(NiftiLoader, HoldsOutWholeVolumesOrTheEndOfASingleOne) {
  settings_.validation_share = 0.25;
  Write("1.nii", Nifti({1, 1, 8}));
  EXPECT_THAT(GatherAll(Load().value()->validation()).samples, ElementsAre(6, 7));
  for (const char* name : {"2.nii", "3.nii", "4.nii"}) Write(name, Nifti({1, 1, 8}));
  const auto loader = Load().value();
  EXPECT_EQ(loader->train().size(), 24);
  EXPECT_THAT(GatherAll(loader->validation()).samples, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST_F(NiftiLoader, SkipsEmptySlicesOnlyWhenAsked) {
  Write("a.nii", Nifti({1, 1, 5}));
  EXPECT_EQ(Load().value()->train().size(), 4);
  settings_.volume.skip_empty = true;
  EXPECT_EQ(Load().value()->train().size(), 3);
}

TEST_F(NiftiLoader, NamesWhatItRefuses) {
  EXPECT_THAT(Load(), IsError(ErrorCode::kNotFound, "there are no volumes"));
  Write("a.nii", Nifti({2, 2, 2}));
  Write("b.nii", Nifti({2, 3, 2}));
  EXPECT_THAT(Load(), ::testing::Not(IsOk()));
  Write("b.nii", Nifti({2, 2, 2}).substr(0, 360));
  EXPECT_THAT(Load(), IsError(ErrorCode::kDataLoss, "b.nii: the file is damaged, or truncated"));
  Write("b.nii", Nifti({700, 700, 700}).substr(0, 400));
  EXPECT_THAT(Load(), IsError(ErrorCode::kDataLoss, "its header promises 343000000 values"));
  Write("b.nii", "no volume");
  EXPECT_THAT(Load(), IsError(ErrorCode::kInvalidArgument, "b.nii: is no NIfTI file"));
  Write("b.nii", Nifti({32000, 32000, 32000}, 0).substr(0, 400));
  EXPECT_THAT(Load(), IsError(ErrorCode::kInvalidArgument, "more than the"));
}

TEST(ReadVolume, ScalesAsTheHeaderSays) {
  const TempDir folder;
  const Path path = folder.path() / "a.nii";
  FX_CHECK(AtomicWrite(path, Nifti({3, 1, 1}, 0, 2)).has_value());
  const Volume volume = ReadVolume(path).value();
  EXPECT_THAT(volume.values, ElementsAre(1, 3, 5));
  EXPECT_THAT(volume.extents, ElementsAre(3, 1, 1));
}

}  // namespace
}  // namespace fx::test
