#include "fx/progress_line.h"

#include <gtest/gtest.h>

#include <sstream>

namespace fx {
namespace {

TEST(ProgressText, SaysHowFarAndHowFast) {
  const Progress progress{.epoch = 1,
                          .epochs = 2,
                          .samples = 12'800,
                          .total = 1'030'000,
                          .samples_per_second = 1650.4,
                          .loss = 0.4119};
  EXPECT_EQ(ProgressText(Round{3}, TaskName{"train"}, progress),
            "round 3  train  epoch 1/2  12,800/1,030,000  1,650 samples/s  loss 0.412");
}

TEST(ProgressText, LeavesOutEpochsWhereThereAreNone) {
  const Progress progress{
      .epoch = 0, .epochs = 0, .samples = 32, .total = 999, .samples_per_second = 100, .loss = 2};
  EXPECT_EQ(ProgressText(Round{0}, TaskName{"validate"}, progress),
            "round 0  validate  32/999  100 samples/s  loss 2.000");
}

TEST(ProgressLine, ErasesWhatALongerTextLeft) {
  std::ostringstream out;
  ProgressLine line(out);
  line.Show("long text");
  line.Show("short");
  line.Clear();
  line.Clear();
  EXPECT_EQ(out.str(), "\rlong text\rshort    \r     \r");
}

}  // namespace
}  // namespace fx
