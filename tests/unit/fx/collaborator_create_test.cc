#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/load.h"
#include "tests/support/matchers.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsOk;
using test::IsOkAndHolds;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

class CollaboratorCreate : public test::VerbTest {
 protected:
  void SetUp() override {
    ASSERT_THAT(MakeFolders("plan"), IsOk());
    ASSERT_THAT(AtomicWrite(".workspace", "current_plan_name: default\n"), IsOk());
    ASSERT_THAT(AtomicWrite("plan/data.yaml", "# where the data lie\nold,/data/old\n"), IsOk());
  }
  ExitCode Create(std::vector<std::string> options) {
    options.insert(options.begin(), {"collaborator", "create"});
    return Run(options);
  }
};

TEST_F(CollaboratorCreate, AddsALineToTheDataFileAndKeepsTheOthers) {
  ASSERT_EQ(Create({"-n", "site1", "-d", "1", "--silent"}), ExitCode::kDone) << err();
  EXPECT_EQ(ReadFile("plan/data.yaml"), "# where the data lie\nold,/data/old\nsite1,1\n");
}

TEST_F(CollaboratorCreate, ReplacesTheLineOfAKnownName) {
  ASSERT_EQ(Create({"-n", "old", "-d", "/data/new", "-s"}), ExitCode::kDone) << err();
  EXPECT_THAT(LoadDataFile("plan/data.yaml"),
              IsOkAndHolds(testing::ElementsAre(Pair("old", "/data/new"))));
}

TEST_F(CollaboratorCreate, LowersTheCaseOfTheName) {
  ASSERT_EQ(Create({"-n", "Site1", "-d", "1", "-s"}), ExitCode::kDone) << err();
  EXPECT_THAT(LoadDataFile("plan/data.yaml"), IsOkAndHolds(Contains(Pair("site1", "1"))));
}

TEST_F(CollaboratorCreate, TakesDataSlashNameWhenNoPathIsGiven) {
  ASSERT_EQ(Create({"-n", "site1"}), ExitCode::kDone) << err();
  EXPECT_THAT(LoadDataFile("plan/data.yaml"), IsOkAndHolds(Contains(Pair("site1", "data/site1"))));
}

TEST_F(CollaboratorCreate, AsksAPersonForThePath) {
  ASSERT_EQ(Run({"collaborator", "create", "-n", "site1"}, "/mnt/images\n"), ExitCode::kDone);
  EXPECT_THAT(err(), HasSubstr("Folder of the data of site1 [data/site1]: "));
  EXPECT_THAT(LoadDataFile("plan/data.yaml"), IsOkAndHolds(Contains(Pair("site1", "/mnt/images"))));
}

TEST_F(CollaboratorCreate, RefusesANameThatCouldLeaveItsFolder) {
  EXPECT_EQ(Create({"-n", "../site1", "-d", "1"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("../site1"));
  EXPECT_THAT(LoadDataFile("plan/data.yaml"), IsOkAndHolds(testing::SizeIs(1)));
}

TEST_F(CollaboratorCreate, RefusesOutsideAWorkspace) {
  ASSERT_THAT(RemoveIfExists(".workspace"), IsOk());
  EXPECT_EQ(Create({"-n", "site1", "-d", "1"}), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("is not a workspace"));
}

}  // namespace
}  // namespace fx
