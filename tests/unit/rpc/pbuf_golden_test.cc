// Files written by OpenFL itself; built only where they are at hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "rpc/pbuf.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsOk;
using testing::ElementsAre;

class PbufGolden : public testing::TestWithParam<int> {
 protected:
  Path file() const {
    return Path(FX_GOLDEN_DIR) / ("model_round" + std::to_string(GetParam()) + ".pbuf");
  }
};

TEST_P(PbufGolden, IsReadAndWrittenBackToTheSameBytes) {
  const auto read = ReadPbuf(file());
  ASSERT_THAT(read, IsOk());
  EXPECT_EQ(read->round, GetParam());
  ASSERT_EQ(read->model.size(), 3U);
  EXPECT_EQ(read->model[0].name, "vec3");
  EXPECT_THAT(read->model[0].tensor.floats(), ElementsAre(1.5F, -2.25F, 3.0F));
  EXPECT_THAT(read->model[2].tensor.shape(), ElementsAre(2, 3, 3, 3));

  const TempDir folder;
  ASSERT_THAT(WritePbuf(folder.path() / "again.pbuf", read->model, read->round), IsOk());
  EXPECT_EQ(*ReadFile(folder.path() / "again.pbuf"), *ReadFile(file()));
}

INSTANTIATE_TEST_SUITE_P(Rounds, PbufGolden, testing::Values(0, 7));

}  // namespace
}  // namespace fx
