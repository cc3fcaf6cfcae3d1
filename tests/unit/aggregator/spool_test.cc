#include "aggregator/store/spool.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "aggregator/store/file_name.h"
#include "tests/support/matchers.h"

namespace fx::aggregator {
namespace {

using test::IsError;
using test::IsOk;

TEST(EscapeFileName, KeepsOrdinaryNames) {
  EXPECT_EQ(EscapeFileName("Hospital-7_b.example.org"), "Hospital-7_b.example.org");
}

TEST(EscapeFileName, LetsNoNameLeaveItsFolderOrHide) {
  EXPECT_EQ(EscapeFileName("../etc/passwd"), "%2E.%2Fetc%2Fpasswd");
  EXPECT_EQ(EscapeFileName(".."), "%2E.");
  EXPECT_EQ(EscapeFileName("."), "%2E");
  EXPECT_EQ(EscapeFileName(std::string_view("a\0b", 3)), "a%00b");
  EXPECT_EQ(EscapeFileName("a+b%"), "a%2Bb%25");
}

TEST(EscapeFileName, CutsLongNamesAndKeepsThemApart) {
  const std::string a = EscapeFileName(std::string(1000, 'x') + "a");
  const std::string b = EscapeFileName(std::string(1000, 'x') + "b");
  EXPECT_LE(a.size(), 72U);
  EXPECT_NE(a, b);
}

class SpoolTest : public testing::Test {
 protected:
  Path folder() const { return dir_.path() / "spool"; }
  // Stages an update of `text`; true if its file is there afterwards.
  bool Stage(const Spool& spool, Round round, const std::string& who, const std::string& task) {
    const Path temp = spool.TempPath(RequestId{9});
    EXPECT_THAT(AtomicWrite(temp, "bytes"), IsOk());
    EXPECT_THAT(spool.Commit(temp, round, {who}, {task}, {"u"}), IsOk());
    return Exists(spool.PathOf(round, {who}, {task}, {"u"})) && !Exists(temp);
  }

  TempDir dir_;
};

TEST_F(SpoolTest, KeepsAnUpdateUnderItsNames) {
  const Spool spool = *Spool::Open(folder());
  EXPECT_TRUE(Stage(spool, Round{3}, "ann", "train"));
  EXPECT_EQ(spool.PathOf(Round{3}, {"ann"}, {"train"}, {"u"}), folder() / "3+ann+train+u.fxm");
}

TEST_F(SpoolTest, TakesTheSameUpdateTwice) {
  const Spool spool = *Spool::Open(folder());
  EXPECT_TRUE(Stage(spool, Round{3}, "ann", "train"));
  EXPECT_TRUE(Stage(spool, Round{3}, "ann", "train"));
  EXPECT_EQ(ListFolder(folder())->size(), 1U);
}

TEST_F(SpoolTest, KeepsEveryNameInsideAndApart) {
  const Spool spool = *Spool::Open(folder());
  std::set<Path> paths;
  const std::string nasty[] = {"a", "a+b", "b+a", "../a", "/", "..", "", "a\nb", "A\"'$`"};
  for (const std::string& who : nasty) {
    for (const std::string& task : nasty) {
      const Path path = spool.PathOf(Round{0}, {who}, {task}, {"u"});
      EXPECT_EQ(path.parent_path(), folder());
      EXPECT_TRUE(paths.insert(path).second) << path;
      EXPECT_TRUE(Stage(spool, Round{0}, who, task)) << path;
    }
  }
}

TEST_F(SpoolTest, HoldsTheLongestNames) {
  const Spool spool = *Spool::Open(folder());
  EXPECT_TRUE(Stage(spool, Round{4294967295U}, std::string(5000, '/'), std::string(5000, 'x')));
}

TEST_F(SpoolTest, SweepsEarlierRoundsOnly) {
  const Spool spool = *Spool::Open(folder());
  for (const unsigned round : {8U, 9U, 10U}) Stage(spool, Round{round}, "ann", "train");
  ASSERT_THAT(AtomicWrite(folder() / "notes.txt", "mine"), IsOk());
  ASSERT_THAT(spool.Sweep(Round{10}), IsOk());
  EXPECT_EQ(*ListFolder(folder()),
            (std::vector<Path>{folder() / "10+ann+train+u.fxm", folder() / "notes.txt"}));
}

TEST_F(SpoolTest, ForgetsWhatADeadProcessWasReceiving) {
  {
    const Spool spool = *Spool::Open(folder());
    Stage(spool, Round{1}, "ann", "train");
    ASSERT_THAT(AtomicWrite(spool.TempPath(RequestId{1}), "half"), IsOk());
  }
  ASSERT_THAT(Spool::Open(folder()), IsOk());
  EXPECT_EQ(ListFolder(folder())->size(), 1U);
}

TEST_F(SpoolTest, SaysWhatCannotBeCommitted) {
  const Spool spool = *Spool::Open(folder());
  EXPECT_THAT(spool.Commit(spool.TempPath(RequestId{5}), Round{1}, {"ann"}, {"train"}, {"u"}),
              IsError(ErrorCode::kNotFound, "tmp-5"));
}

}  // namespace
}  // namespace fx::aggregator
