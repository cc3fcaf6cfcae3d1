// The section data_loader: what each loader is told, and what each refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "tests/unit/plan/plan_text.h"

namespace fx {
namespace {

using test::PlanText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Makes the plan's loader another one, told `lines` instead of mean and std.
void Change(PlanText& text, const std::string& loader, const std::string& lines) {
  text.Replace("template: IdxDataLoader", "template: " + loader);
  text.Replace("    mean: 0.2860 ", lines + " ");
  text.Replace("    std: 0.3530 ", " ");
}

DataLoaderSettings Read(const std::string& loader, const std::string& lines) {
  PlanText text;
  Change(text, loader, lines);
  Result<Plan> plan = text.Load();
  EXPECT_THAT(plan, test::IsOk());
  return plan ? plan->data_loader : DataLoaderSettings{};
}

std::string Complaints(const std::string& loader, const std::string& lines) {
  PlanText text;
  Change(text, loader, lines);
  return text.Complaints();
}

TEST(DataLoaderSection, CutsRoundRobinUnlessToldOtherwise) {
  EXPECT_EQ(Read("IdxDataLoader", "").split.type, SplitType::kRoundRobin);
  EXPECT_EQ(Read("IdxDataLoader", "    split: contiguous").split.type, SplitType::kContiguous);
}

TEST(DataLoaderSection, TakesASplitWithItsNumbers) {
  const SplitSpec skewed =
      Read("IdxDataLoader", "    split: {type: dirichlet, alpha: 0.1, seed: 7}").split;
  EXPECT_EQ(skewed.type, SplitType::kDirichlet);
  EXPECT_EQ(skewed.alpha, 0.1);
  EXPECT_EQ(skewed.seed, 7U);
  EXPECT_EQ(Read("IdxDataLoader", "    split: {type: pathological, shards_per_site: 3}")
                .split.shards_per_site,
            3);
  EXPECT_EQ(Read("IdxDataLoader", "    split: {type: overlapping, share: 0.25}").split.share, 0.25);
}

TEST(DataLoaderSection, RefusesASplitThatIsNone) {
  EXPECT_THAT(Complaints("IdxDataLoader", "    split: dirichlt"),
              HasSubstr("data_loader.settings.split is \"dirichlt\", did you mean dirichlet?"));
  EXPECT_THAT(Complaints("IdxDataLoader", "    split: {type: random, alpha: 1}"),
              HasSubstr("data_loader.settings.split.alpha is unknown"));
  EXPECT_THAT(Complaints("IdxDataLoader", "    split: {alpha: 1}"),
              HasSubstr("data_loader.settings.split.type is missing"));
  EXPECT_THAT(Complaints("IdxDataLoader", "    split: {type: dirichlet, alpha: 0}"),
              HasSubstr("data_loader.settings.split.alpha is 0, expected 0.0001 to"));
}

TEST(DataLoaderSection, ReadsATable) {
  const DataLoaderSettings settings =
      Read("CsvDataLoader",
           "    label: outcome\n    task: binary\n    classes: [alive, dead]\n"
           "    features: [age, sex]\n    categorical: {sex: [f, m]}\n"
           "    normalise: {age: {mean: 52, std: 11.5}}\n    standardise: site\n"
           "    missing: mean\n    separator: \";\"\n    validation_share: 0.1");
  EXPECT_EQ(settings.task, DataTask::kBinary);
  EXPECT_THAT(settings.classes, ElementsAre("alive", "dead"));
  EXPECT_EQ(settings.table.label, "outcome");
  EXPECT_THAT(settings.table.features, ElementsAre("age", "sex"));
  EXPECT_THAT(settings.table.categorical.at("sex"), ElementsAre("f", "m"));
  EXPECT_EQ(settings.table.normalise.at("age").mean, 52);
  EXPECT_EQ(settings.table.normalise.at("age").std, 11.5);
  EXPECT_TRUE(settings.table.standardise);
  EXPECT_EQ(settings.table.missing, MissingValue::kMean);
  EXPECT_EQ(settings.table.separator, ';');
  EXPECT_EQ(settings.validation_share, 0.1);
}

TEST(DataLoaderSection, RefusesATableThatContradictsItself) {
  EXPECT_THAT(Complaints("CsvDataLoader", ""),
              HasSubstr("data_loader.settings.label is missing, expected the column"));
  EXPECT_THAT(Complaints("CsvDataLoader", "    label: x\n    task: binary\n    classes: [a]"),
              HasSubstr("data_loader.settings.classes has 1 words, expected 2"));
  EXPECT_THAT(Complaints("CsvDataLoader", "    label: x\n    categorical: {sex: []}"),
              HasSubstr("data_loader.settings.categorical.sex is empty"));
  EXPECT_THAT(Complaints("CsvDataLoader", "    label: x\n    normalise: {age: {mean: 1, std: 0}}"),
              HasSubstr("data_loader.settings.normalise.age.std is 0, expected more than 0"));
  EXPECT_THAT(Complaints("CsvDataLoader", "    label: x\n    mean: 1"),
              HasSubstr("data_loader.settings.mean is unknown"));
}

TEST(DataLoaderSection, ReadsImages) {
  const DataLoaderSettings settings =
      Read("ImageFolderDataLoader",
           "    classes: [benign, malignant]\n    channels: 3\n    resize: [64, 48]\n"
           "    mean: [0.7, 0.5, 0.6]\n    std: [0.1, 0.2, 0.1]\n"
           "    augment: {flip: horizontal, crop_padding: 4, rotate: 15}");
  EXPECT_THAT(settings.classes, ElementsAre("benign", "malignant"));
  EXPECT_EQ(settings.image.channels, 3);
  EXPECT_THAT(settings.image.size, ElementsAre(64, 48));
  ASSERT_EQ(settings.channels.size(), 3U);
  EXPECT_EQ(settings.channels[1].mean, 0.5);
  EXPECT_EQ(settings.channels[1].std, 0.2);
  EXPECT_EQ(settings.augment.flip, Flip::kHorizontal);
  EXPECT_EQ(settings.augment.crop_padding, 4);
  EXPECT_EQ(settings.augment.rotate, 15);
}

TEST(DataLoaderSection, RefusesImagesWithoutClassesOrWithOddChannels) {
  EXPECT_THAT(Complaints("ImageFolderDataLoader", ""),
              HasSubstr("data_loader.settings.classes is missing"));
  EXPECT_THAT(Complaints("ImageFolderDataLoader", "    task: segmentation\n    channels: 2"),
              HasSubstr("data_loader.settings.channels is 2, expected 1 (grey) or 3 (colour)"));
  EXPECT_THAT(Complaints("ImageFolderDataLoader",
                         "    task: segmentation\n    mean: [0.5, 0.5]\n    std: [1, 1]"),
              HasSubstr("data_loader.settings.mean has 2 numbers for 1 channels"));
  EXPECT_THAT(
      Complaints("ImageFolderDataLoader", "    task: segmentation\n    mean: [0.5]\n    std: [0]"),
      HasSubstr("data_loader.settings.std[0] is 0, expected more than 0, at most 1000000"));
}

TEST(DataLoaderSection, ReadsTextWithPrintableAsciiByDefault) {
  const TextSpec text = Read("TextDataLoader", "    sequence_length: 40\n    split_by: file").text;
  EXPECT_EQ(text.alphabet.size(), 96U);
  EXPECT_EQ(text.sequence_length, 40);
  EXPECT_EQ(text.unit, TextUnit::kFile);
  EXPECT_THAT(Complaints("TextDataLoader", "    alphabet: abca"),
              HasSubstr("data_loader.settings.alphabet must be at most 255 bytes, each once"));
}

TEST(DataLoaderSection, ReadsVolumes) {
  const DataLoaderSettings settings =
      Read("NiftiDataLoader",
           "    axis: 1\n    label: volume\n    standardise: volume\n    size: [160, 160]\n"
           "    skip_empty: true");
  EXPECT_EQ(settings.volume.axis, 1);
  EXPECT_FALSE(settings.volume.label_nonzero);
  EXPECT_TRUE(settings.volume.standardise);
  EXPECT_TRUE(settings.volume.skip_empty);
  EXPECT_THAT(settings.image.size, ElementsAre(160, 160));
  EXPECT_THAT(Complaints("NiftiDataLoader", "    size: 160"),
              HasSubstr("data_loader.settings.size is 160, expected [height, width]"));
}

}  // namespace
}  // namespace fx
