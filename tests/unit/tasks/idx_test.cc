#include "tasks/loaders/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/matchers.h"
#include "tests/unit/tasks/idx_files.h"

namespace fx::test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::FloatEq;

std::vector<float> LabelsOf(const DataSet& data) {
  std::vector<std::uint32_t> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), 0U);
  std::vector<float> samples(all.size() *
                             static_cast<std::size_t>(NumElements(data.sample_shape())));
  std::vector<float> labels(all.size());
  data.Gather(all, samples, labels);
  return labels;
}

class IdxLoader : public ::testing::Test {
 protected:
  IdxLoader() { WriteDataSet(folder_.path(), 7, 5); }

  Result<std::unique_ptr<DataLoader>> Load(const std::string& data_path) const {
    return MakeDataLoader(settings_, data_path);
  }
  void Write(const char* name, const std::string& bytes) const {
    FX_CHECK(AtomicWrite(folder_.path() / name, bytes).has_value());
  }

  const TempDir folder_;
  DataLoaderSettings settings_ = {.type = "IdxDataLoader",
                                  .dataset = folder_.path().string(),
                                  .collaborator_count = 3,
                                  .mean = 0.5,
                                  .std = 0.25};
};

TEST_F(IdxLoader, NormalisesPixelsAndGathersInTheOrderAskedFor) {
  const auto loader = Load(folder_.path()).value();
  EXPECT_THAT(loader->train().sample_shape(), ElementsAre(1, 2, 3));
  const std::vector<std::uint32_t> indices = {6, 0};
  std::vector<float> samples(12);
  std::vector<float> labels(2);
  loader->train().Gather(indices, samples, labels);
  EXPECT_THAT(labels, ElementsAre(6, 0));
  EXPECT_THAT(std::span(samples).first(6), Each(FloatEq((60.0F / 255 - 0.5F) / 0.25F)));
  EXPECT_THAT(std::span(samples).last(6), Each(FloatEq(-2.0F)));
}

TEST_F(IdxLoader, GivesAFolderWhole) {
  settings_.dataset = "/nowhere";
  const auto loader = Load(folder_.path()).value();
  EXPECT_THAT(LabelsOf(loader->train()), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(LabelsOf(loader->validation()), ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(IdxLoader, DealsBothPartsOutToShardsInTurn) {
  EXPECT_THAT(LabelsOf(Load("1").value()->train()), ElementsAre(0, 3, 6));
  EXPECT_THAT(LabelsOf(Load("2").value()->train()), ElementsAre(1, 4));
  EXPECT_THAT(LabelsOf(Load("3").value()->train()), ElementsAre(2, 5));
  EXPECT_THAT(LabelsOf(Load("1").value()->validation()), ElementsAre(0, 3));
  EXPECT_THAT(LabelsOf(Load("3").value()->validation()), ElementsAre(2));
}

TEST_F(IdxLoader, CutsAsThePlanSays) {
  settings_.split.type = SplitType::kContiguous;
  EXPECT_THAT(LabelsOf(Load("1").value()->train()), ElementsAre(0, 1, 2));
  EXPECT_THAT(LabelsOf(Load("3").value()->validation()), ElementsAre(4));
}

TEST_F(IdxLoader, KeepsEachShardsPixelsWithItsLabels) {
  const auto loader = Load("2").value();
  const std::vector<std::uint32_t> indices = {1};
  std::vector<float> samples(6);
  std::vector<float> labels(1);
  loader->train().Gather(indices, samples, labels);
  EXPECT_EQ(labels[0], 4);
  EXPECT_THAT(samples, Each(FloatEq((40.0F / 255 - 0.5F) / 0.25F)));
}

TEST_F(IdxLoader, RefusesShardsThePlanDoesNotHave) {
  for (const char* k : {"0", "4", "99999999999999999999"}) {
    EXPECT_THAT(Load(k), IsError(ErrorCode::kOutOfRange, "shards 1 to 3")) << k;
  }
}

TEST_F(IdxLoader, RefusesAShardWithoutSamples) {
  settings_.collaborator_count = 6;
  EXPECT_THAT(Load("6"), IsError(ErrorCode::kInvalidArgument, "there are only 5 samples"));
}

TEST_F(IdxLoader, ReadsGzippedFilesAndTheOtherSpelling) {
  const TempDir other;
  const auto write = [&](const char* name, const std::string& bytes) {
    FX_CHECK(AtomicWrite(other.path() / name, bytes).has_value());
  };
  write("train-images-idx3-ubyte.gz", Gzip(Images(2)));
  write("train-labels-idx1-ubyte.gz", Gzip(Labels(2)));
  write("t10k-images.idx3-ubyte", Images(1));
  write("t10k-labels.idx1-ubyte", Labels(1));
  const auto loader = Load(other.path()).value();
  EXPECT_EQ(loader->train().size(), 2);
  EXPECT_EQ(loader->validation().size(), 1);
}

TEST_F(IdxLoader, SaysWhichFolderOrFileIsMissing) {
  EXPECT_THAT(Load("/no/such/folder"),
              IsError(ErrorCode::kNotFound, "there are no data at /no/such/folder"));
  ASSERT_THAT(RemoveIfExists(folder_.path() / "t10k-labels-idx1-ubyte"), IsOk());
  EXPECT_THAT(Load("1"), IsError(ErrorCode::kNotFound, "t10k-labels-idx1-ubyte.gz is there"));
}

TEST_F(IdxLoader, HintsAtThePackageOfTheMissingDebianFolder) {
  settings_.dataset = "/usr/share/datasets/fashion-mnist/not-there";
  EXPECT_THAT(Load("1"), IsError(ErrorCode::kNotFound, "apt install dataset-fashion-mnist"));
}

TEST_F(IdxLoader, RefusesImagesAndLabelsThatDoNotPairUp) {
  Write("train-labels-idx1-ubyte", Labels(6));
  EXPECT_THAT(Load("1"), IsError(ErrorCode::kInvalidArgument, "has 7 images but"));
}

TEST_F(IdxLoader, RefusesPartsWithImagesOfDifferentSizes) {
  Write("t10k-images-idx3-ubyte", Idx({5, 3, 3}, std::string(45, 'x')));
  EXPECT_THAT(Load("1"), IsError(ErrorCode::kInvalidArgument,
                                 "training samples are [1, 2, 3], validation samples [1, 3, 3]"));
}

TEST_F(IdxLoader, NamesTheTruncatedFile) {
  Write("train-images-idx3-ubyte", Images(7).substr(0, 40));
  EXPECT_THAT(Load("1"),
              IsError(ErrorCode::kDataLoss, "train-images-idx3-ubyte: the file is trunc"));
}

TEST_F(IdxLoader, OfAnotherNameIsRefusedWithTheNamesThereAre) {
  settings_.type = "IdxLoader";
  EXPECT_THAT(Load("1"), IsError(ErrorCode::kInvalidArgument,
                                 "expected one of: CsvDataLoader, IdxDataLoader"));
}

}  // namespace
}  // namespace fx::test
