#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/base/digest.h"
#include "fx/workspace/archive.h"
#include "tests/support/matchers.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using test::IsOk;
using testing::HasSubstr;

// A frozen plan is the canonical text of one, under its digest.
constexpr const char* kFrozen = "aggregator:\n  settings: {}\n";
std::string FrozenName() {
  return "plan/plan_" + Sha384Hex(kFrozen).substr(0, 8) + ".yaml";
}

// The least that is a workspace.
std::vector<ArchiveEntry> Workspace() {
  return {{.name = "data", .bytes = "", .folder = true},
          {.name = ".workspace", .bytes = "current_plan_name: default\n"},
          {.name = "plan/plan.yaml", .bytes = "aggregator: {}\n"},
          {.name = FrozenName(), .bytes = kFrozen}};
}

class WorkspaceImport : public test::VerbTest {
 protected:
  ExitCode Import(const std::string& archive) {
    return Run({"workspace", "import", "--archive", archive});
  }
};

TEST_F(WorkspaceImport, UnpacksIntoAFolderNamedUpToTheFirstDot) {
  ASSERT_THAT(WriteZip("study.v2.zip", Workspace()), IsOk());
  ASSERT_EQ(Import("study.v2.zip"), ExitCode::kDone) << err();
  EXPECT_EQ(ReadFile("study/plan/plan.yaml"), "aggregator: {}\n");
  EXPECT_TRUE(std::filesystem::is_directory("study/data"));
  EXPECT_TRUE(std::filesystem::is_directory("study/cert"));
  EXPECT_THAT(ListFolder("."), test::IsOkAndHolds(testing::SizeIs(2)));
}

TEST_F(WorkspaceImport, KeepsAFrozenPlanReadOnly) {
  ASSERT_THAT(WriteZip("study.zip", Workspace()), IsOk());
  ASSERT_EQ(Import("study.zip"), ExitCode::kDone) << err();
  struct stat info = {};
  ASSERT_EQ(stat(("study/" + FrozenName()).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0400U);
}

TEST_F(WorkspaceImport, TakesAnArchiveFromAnotherFolder) {
  ASSERT_THAT(MakeFolders("mail"), IsOk());
  ASSERT_THAT(WriteZip("mail/study.zip", Workspace()), IsOk());
  ASSERT_EQ(Import((folder() / "mail/study.zip").string()), ExitCode::kDone) << err();
  EXPECT_TRUE(Exists("study/plan/plan.yaml"));
}

TEST_F(WorkspaceImport, RefusesToOverwriteAFolder) {
  ASSERT_THAT(WriteZip("study.zip", Workspace()), IsOk());
  ASSERT_THAT(MakeFolders("study/cert"), IsOk());
  EXPECT_EQ(Import("study.zip"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("study exists already"));
  EXPECT_FALSE(Exists("study/plan"));
}

TEST_F(WorkspaceImport, RefusesAnArchiveOfSomethingElse) {
  ASSERT_THAT(WriteZip("photos.zip", {{.name = "beach.jpg", .bytes = "sun"}}), IsOk());
  EXPECT_EQ(Import("photos.zip"), ExitCode::kFailed);
  EXPECT_THAT(err(),
              HasSubstr("photos.zip is not the archive of a workspace: it has no .workspace"));
  EXPECT_FALSE(Exists("photos"));
}

TEST_F(WorkspaceImport, RefusesKeysCertificatesAndStateOfOthers) {
  for (const std::string name :
       {"cert/client/col_ann.key", "cert/cert_chain.crt", "local_state/collaborator/ann/state"}) {
    auto entries = Workspace();
    entries.push_back({.name = name, .bytes = "of somebody else"});
    ASSERT_THAT(WriteZip("study.zip", entries), IsOk());
    EXPECT_EQ(Import("study.zip"), ExitCode::kFailed) << name;
    EXPECT_THAT(err(), HasSubstr("study.zip holds "));
    EXPECT_THAT(ListFolder("."), test::IsOkAndHolds(testing::SizeIs(1)));
  }
}

TEST_F(WorkspaceImport, RefusesAFrozenPlanThatIsNotWhatItsNamePromises) {
  std::vector<ArchiveEntry> entries = Workspace();
  entries.back().bytes += "\n";
  ASSERT_THAT(WriteZip("study.zip", entries), IsOk());
  EXPECT_EQ(Import("study.zip"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr(FrozenName() + " is not the plan its name promises"));
  EXPECT_THAT(ListFolder("."), test::IsOkAndHolds(testing::SizeIs(1)));
}

TEST_F(WorkspaceImport, RefusesAPlanThatIsNotTheFrozenOne) {
  std::vector<ArchiveEntry> entries = Workspace();
  entries[2].bytes = "aggregator: {settings: {rounds_to_train: 1}}\n";
  ASSERT_THAT(WriteZip("study.zip", entries), IsOk());
  EXPECT_EQ(Import("study.zip"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("plan/plan.yaml is not the plan that was frozen with it"));
  EXPECT_FALSE(Exists("study"));
}

TEST_F(WorkspaceImport, RefusesAnArchiveOfAnotherSha256) {
  ASSERT_THAT(WriteZip("study.zip", Workspace()), IsOk());
  const std::string right = Sha256Hex(AsBytes(ReadFile("study.zip").value_or("")));
  EXPECT_EQ(Run({"workspace", "import", "--archive", "study.zip", "--sha256", "00" + right}),
            ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("study.zip has the SHA-256 " + right));
  EXPECT_FALSE(Exists("study"));
  EXPECT_EQ(Run({"workspace", "import", "--archive", "study.zip", "--sha256", right}),
            ExitCode::kDone)
      << err();
}

TEST_F(WorkspaceImport, RefusesAFileThatIsNoArchive) {
  ASSERT_THAT(AtomicWrite("study.zip", "hello"), IsOk());
  EXPECT_EQ(Import("study.zip"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("study.zip"));
  EXPECT_FALSE(Exists("study"));
}

TEST_F(WorkspaceImport, RefusesAnArchiveThatIsNotThere) {
  EXPECT_EQ(Import("study.zip"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("study.zip"));
}

TEST_F(WorkspaceImport, RefusesAnArchiveWithoutAName) {
  ASSERT_THAT(WriteZip(".zip", Workspace()), IsOk());
  EXPECT_EQ(Import(".zip"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("has no name before its first dot"));
}

}  // namespace
}  // namespace fx
