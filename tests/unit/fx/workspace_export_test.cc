#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/base/digest.h"
#include "fx/workspace/archive.h"
#include "plan/load.h"
#include "tests/support/matchers.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsOk;
using testing::Contains;
using testing::HasSubstr;

// Runs in the workspace "study" below the test's folder.
class WorkspaceExport : public test::VerbTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(Run({"workspace", "create", "--prefix", "study", "--template", "cnn_mnist"}),
              ExitCode::kDone);
    std::filesystem::current_path(folder() / "study");
  }

  void Initialize() {
    ASSERT_EQ(Run({"plan", "initialize", "-a", "agg.example.org"}), ExitCode::kDone) << err();
  }
  ExitCode Export() { return Run({"workspace", "export"}); }
  static Path FrozenPlan() {
    const auto plan = LoadPlan("plan/plan.yaml", "plan/cols.yaml");
    EXPECT_THAT(plan, IsOk());
    return "plan/plan_" + (plan ? plan->digest.substr(0, 8) : "") + ".yaml";
  }
};

TEST_F(WorkspaceExport, MakesAnArchiveNamedAsTheFolder) {
  Initialize();
  ASSERT_EQ(Export(), ExitCode::kDone) << err();
  const auto entries = ReadZip("study.zip");
  ASSERT_THAT(entries, IsOk());
  std::vector<std::string> names;
  for (const ArchiveEntry& e : *entries) names.push_back(e.name);
  for (const std::string& name : {std::string(".workspace"), std::string("plan/plan.yaml"),
                                  std::string("plan/cols.yaml"), FrozenPlan().string()}) {
    EXPECT_THAT(names, Contains(name));
  }
  EXPECT_THAT(names, Not(Contains(HasSubstr("init.pbuf"))));
}

TEST_F(WorkspaceExport, FreezesThePlanReadOnlyUnderItsDigest) {
  Initialize();
  ASSERT_EQ(Export(), ExitCode::kDone) << err();
  struct stat info = {};
  ASSERT_EQ(stat(FrozenPlan().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0400U);
  const auto plan = LoadPlan("plan/plan.yaml", "plan/cols.yaml");
  EXPECT_EQ(Sha384Hex(ReadFile(FrozenPlan()).value_or("")), plan->digest);
}

TEST_F(WorkspaceExport, MakesTheSameBytesOfTheSameWorkspace) {
  Initialize();
  ASSERT_EQ(Export(), ExitCode::kDone) << err();
  const std::string first = ReadFile("study.zip").value_or("");
  ASSERT_EQ(Export(), ExitCode::kDone) << err();
  EXPECT_EQ(ReadFile("study.zip"), first);
}

TEST_F(WorkspaceExport, BringsTheSamePlanToTheImporter) {
  Initialize();
  ASSERT_EQ(Export(), ExitCode::kDone) << err();
  const std::string plan = ReadFile("plan/plan.yaml").value_or("");
  ASSERT_THAT(MakeFolders(folder() / "site"), IsOk());
  std::filesystem::current_path(folder() / "site");
  ASSERT_EQ(Run({"workspace", "import", "--archive", "../study/study.zip"}), ExitCode::kDone)
      << err();
  EXPECT_EQ(ReadFile("study/plan/plan.yaml"), plan);
}

TEST_F(WorkspaceExport, RefusesAPlanThatIsNotInitialized) {
  EXPECT_EQ(Export(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("does not say yet where the aggregator is"));
  EXPECT_THAT(err(), HasSubstr("run `fx plan initialize` first"));
  EXPECT_FALSE(Exists("study.zip"));
}

TEST_F(WorkspaceExport, RefusesWithoutAnInitialModel) {
  Initialize();
  ASSERT_THAT(RemoveIfExists("save/init.pbuf"), IsOk());
  EXPECT_EQ(Export(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("save/init.pbuf, the initial model, is missing"));
}

TEST_F(WorkspaceExport, RefusesOutsideAWorkspace) {
  std::filesystem::current_path(folder());
  EXPECT_EQ(Export(), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("is not a workspace"));
}

}  // namespace
}  // namespace fx
