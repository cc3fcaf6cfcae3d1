#include "tasks/lazy_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/numeric/trainer.h"
#include "tests/support/matchers.h"
#include "tests/support/networks.h"

namespace fx::test {
namespace {

class LazyRunnerTest : public ::testing::Test {
 protected:
  std::unique_ptr<TaskRunner> Make() {
    return MakeLazyRunner(ParameterLayout(network_),
                          [this]() -> Result<std::unique_ptr<TaskRunner>> {
                            ++made_;
                            if (fails_) return Fail(ErrorCode::kNotFound, "no data");
                            return RunnerFor(network_, data_, 8);
                          });
  }

  const Shape input_ = {4};
  const NetworkSpec network_ = MakeNetwork(input_, {Dense("dense", 3)});
  const MemoryLoader data_{RandomSet(input_, 30, 3, 1)};
  int made_ = 0;
  bool fails_ = false;
};

TEST_F(LazyRunnerTest, IsMadeOnceByTheFirstUse) {
  const auto runner = Make();
  EXPECT_EQ(runner->layout(), ParameterLayout(network_));
  EXPECT_TRUE(runner->GetOptimizerState().empty());
  EXPECT_EQ(made_, 0);
  ASSERT_THAT(runner->SetParameters(InitialModel(network_)), IsOk());
  EXPECT_THAT(runner->Train(TrainTask(1), InRound(0, "one")), IsOk());
  EXPECT_EQ(LayoutOf(runner->GetParameters()), ParameterLayout(network_));
  EXPECT_EQ(made_, 1);
}

TEST_F(LazyRunnerTest, SaysWhyItCannotBeMadeAndTriesAgain) {
  const auto runner = Make();
  fails_ = true;
  EXPECT_THAT(runner->SetParameters(InitialModel(network_)),
              IsError(ErrorCode::kNotFound, "no data"));
  fails_ = false;
  EXPECT_THAT(runner->SetParameters(InitialModel(network_)), IsOk());
  EXPECT_EQ(made_, 2);
}

}  // namespace
}  // namespace fx::test
