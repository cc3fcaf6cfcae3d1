#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fx/workspace/scope.h"
#include "tests/support/matchers.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsOk;
using testing::HasSubstr;
using testing::Not;

class WorkspaceScope : public test::VerbTest {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeFolders("study/plan"), IsOk());
    ASSERT_THAT(MakeFolders("study2"), IsOk());
    ASSERT_THAT(AtomicWrite("study2/plan.yaml", "a: 1\n"), IsOk());
  }
};

TEST_F(WorkspaceScope, HasFilesInsideHoweverTheyAreNamed) {
  EXPECT_THAT(CheckIsInside("plan/plan.yaml", "study"), IsOk());
  EXPECT_THAT(CheckIsInside("plan/../plan/./new.yaml", "study"), IsOk());
  EXPECT_THAT(CheckIsInside("../study/plan/plan.yaml", "study"), IsOk());
  EXPECT_THAT(CheckIsInside(folder() / "study/plan/plan.yaml", "study"), IsOk());
}

TEST_F(WorkspaceScope, DoesNotHaveFilesElsewhere) {
  EXPECT_THAT(CheckIsInside("../x.yaml", "study"), Not(IsOk()));
  EXPECT_THAT(CheckIsInside("/etc/passwd", "study"), Not(IsOk()));
  EXPECT_THAT(CheckIsInside("plan/../../x.yaml", "study"), Not(IsOk()));
}

TEST_F(WorkspaceScope, DoesNotHaveASiblingWhoseNameBeginsAlike) {
  EXPECT_THAT(CheckIsInside("../study2/plan.yaml", "study"), Not(IsOk()));
}

TEST_F(WorkspaceScope, FollowsLinks) {
  std::filesystem::create_symlink("../../study2/plan.yaml", "study/plan/plan.yaml");
  EXPECT_THAT(CheckIsInside("plan/plan.yaml", "study"), Not(IsOk()));
}

TEST_F(WorkspaceScope, IsCheckedBeforeAVerbRuns) {
  std::filesystem::current_path("study");
  EXPECT_EQ(Run({"aggregator", "start", "-p", "../study2/plan.yaml"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("../study2/plan.yaml is out of the workspace's scope"));
  EXPECT_EQ(Run({"collaborator", "start", "-n", "a", "-d", "/data.yaml"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("/data.yaml is out of the workspace's scope"));
  std::filesystem::current_path("..");
}

}  // namespace
}  // namespace fx
