// Whatever a plan file holds, LoadPlan answers: with a plan or with words, never with a crash.
#include <gtest/gtest.h>

#include "core/base/random.h"
#include "plan/canonical.h"
#include "plan/cols_file.h"
#include "plan/complaints.h"
#include "plan/edit.h"
#include "plan/resolve.h"
#include "tests/support/matchers.h"
#include "tests/unit/plan/plan_text.h"

namespace fx {
namespace {

std::string Mutate(std::string text, RandomStream& random) {
  for (std::uint64_t edits = 1 + random.Below(6); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = random.Below(text.size());
    switch (random.Below(5)) {
      case 0:
        text[at] = static_cast<char>(random.Below(256));
        break;
      case 1:
        text.erase(at, 1 + random.Below(40));
        break;
      case 2:
        text.insert(at, text.substr(random.Below(text.size()), random.Below(200)));
        break;
      case 3:
        text[at] = "{}[]:,&*!|>'\"#-? \n\t%@`<=~"[random.Below(25)];
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

TEST(HostilePlan, IsAnsweredWithAPlanOrWithWords) {
  RandomStream random(11, "hostile");
  test::PlanText workspace;
  const std::string plan = workspace.text();
  int loaded = 0, refused = 0;
  for (int i = 0; i < 2000; ++i) {
    const Result<Plan> result = workspace.Set(Mutate(plan, random)).Load();
    if (result) {
      ++loaded;
      EXPECT_EQ(result->digest.size(), 96U);
      EXPECT_FALSE(ParameterLayout(result->task_runner).empty());
    } else {
      ++refused;
      EXPECT_FALSE(result.error().message().empty());
    }
  }
  EXPECT_GT(loaded, 20);
  EXPECT_GT(refused, 1000);
}

TEST(HostilePlan, IsEditedAsMeantOrNotAtAll) {
  RandomStream random(12, "hostile");
  const std::string plan = test::PlanText().text();
  int edited = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string text = Mutate(plan, random);
    const Result<std::string> resolved = ResolvePlan(text, "none/plan.yaml", "agg.example.org");
    if (!resolved) continue;
    ++edited;
    const Result<YamlRef> reread = ParseYaml(*resolved, "t.yaml");
    ASSERT_TRUE(reread);
    EXPECT_EQ((*reread)->Find("network")->Find("settings")->Find("agg_addr")->scalar.text,
              "agg.example.org");
  }
  EXPECT_GT(edited, 50);
}

// Half a gigabyte if it were written out, from a file of a megabyte.
TEST(HostilePlan, ThatRepeatsALongTextByAliasesIsRefused) {
  std::string text = "a: &a " + std::string(500'000, 'x') + "\nb: [";
  for (int i = 0; i < 1'000; ++i) text += "*a, ";
  EXPECT_THAT(ParseYaml(text + "]\n", "plan.yaml"),
              test::IsError(ErrorCode::kInvalidArgument, "with its aliases written out"));
}

TEST(HostileCols, AreAnsweredWithNamesOrWithWords) {
  RandomStream random(13, "hostile");
  const TempDir folder;
  const Path path = folder.path() / "cols.yaml";
  int grown = 0;
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(AtomicWrite(path, Mutate("# who\ncollaborators:\n- one\n- two # x\n", random)));
    const auto before = LoadColsFile(path);
    if (!AddCollaboratorToCols(path, {"new"}).value_or(false)) continue;
    ++grown;
    ASSERT_TRUE(before);
    EXPECT_EQ(LoadColsFile(path)->size(), before->size() + 1);
  }
  EXPECT_GT(grown, 50);
}

}  // namespace
}  // namespace fx
