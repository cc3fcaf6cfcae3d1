#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "core/tensor/model_file.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

TEST(FindNonFinite, FindsTheFirstOneWhereverItIs) {
  constexpr float kBad[] = {std::numeric_limits<float>::quiet_NaN(),
                            std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()};
  std::vector<float> values(5000, std::numeric_limits<float>::max());
  EXPECT_EQ(FindNonFinite(values), -1);
  for (const std::size_t at : {0U, 1023U, 1024U, 4095U, 4096U, 4999U}) {
    for (const float bad : kBad) {
      std::vector<float> copy = values;
      copy[at] = bad;
      copy[4999] = bad;
      EXPECT_EQ(FindNonFinite(copy), static_cast<std::ptrdiff_t>(at));
    }
  }
}

TEST(FindNonFinite, TakesEveryFiniteFloatForFinite) {
  const std::vector<float> values{0.0F, -0.0F, std::numeric_limits<float>::denorm_min(),
                                  std::numeric_limits<float>::lowest(), 1.0F};
  EXPECT_EQ(FindNonFinite(values), -1);
  EXPECT_EQ(FindNonFinite({}), -1);
}

}  // namespace
}  // namespace fx
