#include "plan/cols_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "core/base/replace_file.h"
#include "plan/load.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

class ColsFile : public ::testing::Test {
 protected:
  void Write(std::string_view text) { ASSERT_TRUE(AtomicWrite(path_, text)); }
  std::string Add(const std::string& name) {
    const Result<bool> added = AddCollaboratorToCols(path_, {name});
    return added ? *ReadFile(path_) : added.error().message();
  }
  std::string AddTo(std::string_view text, const std::string& name) {
    Write(text);
    return Add(name);
  }
  std::string Load() {
    const auto names = LoadColsFile(path_);
    if (!names) return names.error().message();
    std::string list;
    for (const CollaboratorName& name : *names) list += name.value + " ";
    return list;
  }

  TempDir folder_;
  Path path_ = folder_.path() / "cols.yaml";
};

TEST_F(ColsFile, ThatDoesNotExistIsEmpty) {
  EXPECT_EQ(Load(), "");
}

TEST_F(ColsFile, KeepsTheOrderOfItsNames) {
  Write("collaborators: [two, one]\n");
  EXPECT_EQ(Load(), "two one ");
  Write("collaborators:\n");
  EXPECT_EQ(Load(), "");
}

TEST_F(ColsFile, ComplainsAboutEveryBadName) {
  Write("collaborators:\n- 1\n- delta\n- a/b\n- One\n- x\n- x\ncollaborator: 3\n");
  const std::string file = path_.string();
  EXPECT_EQ(Load(),
            file +
                ":2: collaborators[0] is 1, expected text (if it is meant as text, write \"1\")\n"
                "           " +
                file +
                ":3: collaborators[1]: the name \"delta\" is a word with a meaning of "
                "its own, choose another name\n"
                "           " +
                file +
                ":4: collaborators[2]: the name \"a/b\" may only have letters, digits, "
                "'.', '-' and '_'\n"
                "           " +
                file +
                ":5: collaborators[3]: the name \"One\" has capital letters, expected "
                "lower case as in its certificate\n"
                "           " +
                file +
                ":7: collaborators[5] is x, as on line 6; keep one of the two\n"
                "           " +
                file + ":8: collaborator is unknown, did you mean collaborators?");
}

TEST_F(ColsFile, IsMadeByTheFirstName) {
  EXPECT_EQ(Add("one"), "collaborators:\n- one\n");
}

TEST_F(ColsFile, GrowsAtItsEnd) {
  EXPECT_EQ(AddTo("# who\ncollaborators:\n  - one  # first\n# end\n", "two"),
            "# who\ncollaborators:\n  - one  # first\n  - two\n# end\n");
  EXPECT_EQ(AddTo("collaborators:\n- one", "two"), "collaborators:\n- one\n- two");
}

TEST_F(ColsFile, GrowsInBrackets) {
  EXPECT_EQ(AddTo("collaborators: [one]\n", "two"), "collaborators: [one, two]\n");
  EXPECT_EQ(AddTo("collaborators: ['one' ] # c\n", "two"), "collaborators: ['one', two ] # c\n");
  EXPECT_EQ(AddTo("collaborators: []\n", "two"), "collaborators: [two]\n");
}

TEST_F(ColsFile, GrowsFromNothing) {
  EXPECT_EQ(AddTo("collaborators: # none yet\n", "one"), "collaborators: # none yet\n- one\n");
  EXPECT_EQ(AddTo("collaborators:", "one"), "collaborators:\n- one\n");
  EXPECT_EQ(AddTo("collaborators: null\n", "one"), "collaborators:\n- one\n");
  EXPECT_EQ(AddTo("# empty\n", "one"), "# empty\ncollaborators:\n- one\n");
}

TEST_F(ColsFile, HoldsANameOnce) {
  Write("collaborators: [one] # c\n");
  const Result<bool> added = AddCollaboratorToCols(path_, {"one"});
  ASSERT_TRUE(added);
  EXPECT_FALSE(*added);
  EXPECT_EQ(*ReadFile(path_), "collaborators: [one] # c\n");
}

TEST_F(ColsFile, QuotesANameThatIsANumber) {
  EXPECT_EQ(Add("1"), "collaborators:\n- '1'\n");
  EXPECT_EQ(Load(), "1 ");
}

TEST_F(ColsFile, RefusesANameThatIsNone) {
  EXPECT_EQ(Add("../x"), "the name \"../x\" may only have letters, digits, '.', '-' and '_'");
  EXPECT_EQ(Add(".x"), "the name \".x\" must start with a letter or a digit");
  EXPECT_EQ(Add("a..b"), "the name \"a..b\" must not have two dots in a row");
  EXPECT_EQ(Add(""), "the name \"\" is empty");
  EXPECT_EQ(Add(std::string(65, 'a')).substr(75), "\" has 65 characters, expected at most 64")
      << Add(std::string(65, 'a'));
  EXPECT_FALSE(Exists(path_));
}

TEST_F(ColsFile, IsLeftAloneWhereItCannotBeEditedSafely) {
  const std::string text = "collaborators:\n- \"on\\\n  e\"\n";
  EXPECT_EQ(AddTo(text, "two"), "the file is written in a way that cannot be edited safely");
  EXPECT_EQ(*ReadFile(path_), text);
}

TEST_F(ColsFile, IsNotWrittenIfSomebodyElseRefuses) {
  Write("collaborators: [one]\n");
  std::string seen;
  const auto judge = [&](const std::string& before, const std::string& after) {
    seen = before + after + *ReadFile(path_);
    return Status(Fail(ErrorCode::kAborted, "not today"));
  };
  const std::string old = "collaborators: [one]\n";
  const auto added = AddCollaboratorToCols(path_, {"two"}, judge);
  EXPECT_THAT(added, test::IsError(ErrorCode::kAborted, "not today"));
  EXPECT_EQ(seen, old + "collaborators: [one, two]\n" + old);
  const auto removed = RemoveCollaboratorFromCols(path_, {"one"}, judge);
  EXPECT_THAT(removed, test::IsError(ErrorCode::kAborted, "not today"));
  EXPECT_EQ(seen, old + "collaborators: []\n" + old);
}

TEST_F(ColsFile, KeepsTheNamesOfTwoWhoAddAtOnce) {
  Write("collaborators: [one]\n");
  const auto nobody_else_may = [&](const std::string&, const std::string&) {
    EXPECT_THAT(FolderLock::Acquire(folder_.path(), std::chrono::milliseconds(0)),
                test::IsError(ErrorCode::kAborted, "another command"));
    return Ok();
  };
  const auto add = [&](const std::string& who) {
    for (int i = 0; i < 20; ++i) {
      const CollaboratorName name{who + std::to_string(i)};
      EXPECT_THAT(AddCollaboratorToCols(path_, name, nobody_else_may), test::IsOkAndHolds(true));
    }
  };
  std::jthread other([&] { add("a"); });
  add("b");
  other.join();
  EXPECT_EQ(LoadColsFile(path_)->size(), 41U);
}

TEST_F(ColsFile, KeepsItsMode) {
  Write("collaborators: [one]\n");
  std::filesystem::permissions(path_, std::filesystem::perms(0640));
  EXPECT_EQ(Add("two"), "collaborators: [one, two]\n");
  EXPECT_EQ(std::filesystem::status(path_).permissions(), std::filesystem::perms(0640));
}

// Two workspaces may share a list, which is not where their links are.
TEST_F(ColsFile, MayBeALinkToAListOfOthers) {
  ASSERT_TRUE(MakeFolders(folder_.path() / "shared"));
  const Path shared = folder_.path() / "shared" / "cols.yaml";
  ASSERT_TRUE(AtomicWrite(shared, "collaborators: [one]\n"));
  std::filesystem::create_symlink("shared/cols.yaml", path_);
  const auto nobody_else_may = [&](const std::string&, const std::string&) {
    EXPECT_THAT(FolderLock::Acquire(shared.parent_path(), std::chrono::milliseconds(0)),
                test::IsError(ErrorCode::kAborted, "another command"));
    return Ok();
  };
  EXPECT_THAT(AddCollaboratorToCols(path_, {"two"}, nobody_else_may), test::IsOkAndHolds(true));
  EXPECT_THAT(RemoveCollaboratorFromCols(path_, {"one"}), test::IsOkAndHolds(true));
  EXPECT_THAT(ReadFile(shared), test::IsOkAndHolds("collaborators: [two]\n"));
  EXPECT_TRUE(std::filesystem::is_symlink(path_));
}

TEST_F(ColsFile, LosesALine) {
  const auto without = [this](const std::string& name) {
    const Result<bool> removed = RemoveCollaboratorFromCols(path_, {name});
    return !removed ? removed.error().message() : *removed ? *ReadFile(path_) : "no";
  };
  Write("# who\ncollaborators:\n  - one  # first\n  - \"two\"\n# end\n  - three");
  EXPECT_EQ(without("four"), "no");
  EXPECT_EQ(without("one"), "# who\ncollaborators:\n  - \"two\"\n# end\n  - three");
  EXPECT_EQ(without("three"), "# who\ncollaborators:\n  - \"two\"\n# end\n");
  EXPECT_EQ(without("two"), "# who\ncollaborators:\n# end\n");
  EXPECT_EQ(Load(), "");
}

TEST_F(ColsFile, LosesAPlaceInBrackets) {
  const auto without = [this](const std::string& name) {
    const Result<bool> removed = RemoveCollaboratorFromCols(path_, {name});
    return removed ? *ReadFile(path_) : removed.error().message();
  };
  Write("collaborators: [one, 'two', three, four]  # all\n");
  EXPECT_EQ(without("two"), "collaborators: [one, three, four]  # all\n");
  EXPECT_EQ(without("four"), "collaborators: [one, three]  # all\n");
  EXPECT_EQ(without("one"), "collaborators: [three]  # all\n");
  EXPECT_EQ(without("three"), "collaborators: []  # all\n");
}

TEST_F(ColsFile, LosesALineWithAnAnchor) {
  Write("collaborators:\n- one\n- &x two\n- three\n");
  EXPECT_TRUE(RemoveCollaboratorFromCols(path_, {"two"}).has_value());
  EXPECT_EQ(Load(), "one three ");
  EXPECT_FALSE(*RemoveCollaboratorFromCols(folder_.path() / "nowhere.yaml", {"two"}));
}

TEST(Listed, NamesEverybodyOrNobody) {
  EXPECT_EQ(Listed({{"ann"}, {"bob"}}), "ann, bob");
  EXPECT_EQ(Listed(std::vector<CollaboratorName>()), "nobody");
}

}  // namespace
}  // namespace fx
