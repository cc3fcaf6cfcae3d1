#include "core/base/metrics_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using Lines = std::vector<std::string>;

TEST(MetricsLine, IsAJsonObject) {
  const std::vector<Metric> metrics = {
      {.name = "aggregator/train/loss", .value = 0.25},
      {.name = "a \"b\"\n", .value = 3},
      {.name = "x", .value = std::numeric_limits<double>::infinity()}};
  EXPECT_EQ(MetricsLine(Round{3}, 12.5, metrics),
            "{\"round_number\": 3, \"elapsed_seconds\": 12.5, \"aggregator/train/loss\": 0.25, "
            "\"a \\\"b\\\"\\u000a\": 3, \"x\": null}");
}

class MetricsFile : public testing::Test {
 protected:
  Status Append(const Lines& lines) { return AppendMissingLines(file_, lines); }
  void Write(const std::string& text) {
    ASSERT_THAT(MakeFolders(file_.parent_path()), IsOk());
    ASSERT_THAT(AtomicWrite(file_, text), IsOk());
  }

  TempDir folder_;
  const Path file_ = folder_.path() / "logs" / "aggregator_metrics.txt";
};

TEST_F(MetricsFile, NeitherLosesNorRepeatsALine) {
  EXPECT_THAT(Append({"a"}), IsOk());
  EXPECT_THAT(Append({"a"}), IsOk());
  EXPECT_THAT(Append({"a", "b", "c"}), IsOk());
  EXPECT_THAT(Append({"a", "b", "c"}), IsOk());
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("a\nb\nc\n"));
}

TEST_F(MetricsFile, KeepsWhatEarlierRunsLeft) {
  Write("a\nb\nold\n");
  EXPECT_THAT(Append({"a", "b"}), IsOk());
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("a\nb\nold\na\nb\n"));
}

TEST_F(MetricsFile, DropsALineCutShortByACrash) {
  Write("a\nb");
  EXPECT_THAT(Append({"a", "bcd"}), IsOk());
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("a\nbcd\n"));
}

TEST_F(MetricsFile, TakesNoPartOfALineForALine) {
  Write("xa\n");
  EXPECT_THAT(Append({"a"}), IsOk());
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("xa\na\n"));
}

TEST_F(MetricsFile, IsNotMadeForNothing) {
  EXPECT_THAT(Append({}), IsOk());
  EXPECT_FALSE(Exists(file_));
}

}  // namespace
}  // namespace fx
