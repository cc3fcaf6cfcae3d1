#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fx/workspace/template_catalog.h"
#include "tests/support/matchers.h"
#include "tests/support/test_io.h"

namespace fx {
namespace {

using testing::HasSubstr;

class WorkspaceCreate : public test::VerbTest {
 protected:
  ExitCode Create(const std::string& prefix, const std::string& name) {
    return Run({"workspace", "create", "--prefix", prefix, "--template", name});
  }
};

TEST_F(WorkspaceCreate, MakesTheFoldersOfOpenFl) {
  ASSERT_EQ(Create("ws", "cnn_mnist"), ExitCode::kDone);
  for (const char* name : {"cert", "data", "logs", "save", "src", "plan"}) {
    EXPECT_TRUE(std::filesystem::is_directory(Path("ws") / name)) << name;
  }
  EXPECT_TRUE(Exists("ws/.workspace"));
}

TEST_F(WorkspaceCreate, CopiesEveryFileOfTheTemplate) {
  ASSERT_EQ(Create("ws", "cnn_mnist"), ExitCode::kDone);
  const auto found = FindTemplate("cnn_mnist");
  ASSERT_TRUE(found);
  for (const TemplateFile& file : found->files) {
    EXPECT_EQ(ReadFile(Path("ws") / file.path).value_or("missing"), file.bytes) << file.path;
    EXPECT_EQ(ReadFile(Path(FX_SOURCE_DIR "/workspace_templates/cnn_mnist") / file.path),
              file.bytes);
  }
}

TEST_F(WorkspaceCreate, LeavesEditedFilesAloneWhenRunAgain) {
  ASSERT_EQ(Create("ws", "cnn_mnist"), ExitCode::kDone);
  ASSERT_TRUE(AtomicWrite("ws/plan/plan.yaml", "edited"));
  ASSERT_TRUE(RemoveIfExists("ws/plan/cols.yaml"));
  EXPECT_EQ(Create("ws", "cnn_mnist"), ExitCode::kDone);
  EXPECT_EQ(ReadFile("ws/plan/plan.yaml"), "edited");
  EXPECT_TRUE(Exists("ws/plan/cols.yaml"));
}

TEST_F(WorkspaceCreate, MakesAnEmptyFolderAWorkspace) {
  ASSERT_TRUE(MakeFolders("ws"));
  EXPECT_EQ(Create("ws", "cnn_mnist"), ExitCode::kDone);
}

TEST_F(WorkspaceCreate, RefusesAFolderWithOtherThings) {
  ASSERT_TRUE(MakeFolders("ws"));
  ASSERT_TRUE(AtomicWrite("ws/thesis.tex", "years of work"));
  EXPECT_EQ(Create("ws", "cnn_mnist"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("ws exists and is not empty"));
  EXPECT_FALSE(Exists("ws/plan"));
}

TEST_F(WorkspaceCreate, RefusesAWorkspaceOfAnotherTemplate) {
  ASSERT_TRUE(MakeFolders("ws"));
  ASSERT_TRUE(AtomicWrite("ws/.workspace", "current_plan_name: default\ntemplate: other\n"));
  EXPECT_EQ(Create("ws", "cnn_mnist"), ExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("already a workspace, of template \"other\""));
}

TEST_F(WorkspaceCreate, ListsTheTemplatesForAWrongName) {
  EXPECT_EQ(Create("ws", "cnn_mnits"), ExitCode::kFailed);
  EXPECT_THAT(err(),
              HasSubstr("there is no workspace template \"cnn_mnits\"; there are: char_lstm, "
                        "cnn_histology, cnn_mnist, "));
  EXPECT_THAT(err(), HasSubstr("did you mean \"cnn_mnist\"?"));
  EXPECT_FALSE(Exists("ws"));
}

}  // namespace
}  // namespace fx
