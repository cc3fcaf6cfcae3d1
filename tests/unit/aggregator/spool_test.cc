#include "aggregator/store/spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aggregator/store/file_name.h"
#include "core/base/digest.h"
#include "core/base/partial_file.h"
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

constexpr std::uint64_t kSize = 100;  // of an update

class SpoolTest : public testing::Test {
 protected:
  Path folder() const { return dir_.path() / "spool"; }
  // Stages an update of `text`; true if its file is there afterwards.
  bool Stage(const Spool& spool, Round round, const std::string& who, const std::string& task) {
    const Path temp = *spool.ClaimPartial(round, {who}, {task}, {"u"}, kSize);
    EXPECT_EQ(temp.parent_path(), folder());
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

// What a power cut may leave of files that were never fsynced.
TEST_F(SpoolTest, DropsWhatAPowerCutHasDamagedIfUpdatesAreSyncedTogether) {
  const std::string bytes = "the bytes of an update";
  FastDigest digest;
  digest.Update(AsBytes(bytes));
  const UpdateId update{std::move(digest).FinishHex()};
  const std::vector<std::string> damages = {bytes, bytes.substr(0, 7), "",
                                            std::string(bytes.size(), '\0')};
  const auto fill = [&](const Spool& spool) {
    for (std::uint32_t i = 0; i < damages.size(); ++i) {
      const Path temp = *spool.ClaimPartial(Round{i}, {"ann"}, {"train"}, update, kSize);
      ASSERT_THAT(AtomicWrite(temp, damages[i]), IsOk());
      ASSERT_THAT(spool.Commit(temp, Round{i}, {"ann"}, {"train"}, update), IsOk());
    }
    EXPECT_THAT(spool.SyncAll(), IsOk());
  };
  const auto kept = [&](const Spool& spool) {
    std::vector<std::uint32_t> rounds;
    for (std::uint32_t i = 0; i < damages.size(); ++i) {
      if (spool.Holds(Round{i}, {"ann"}, {"train"}, update)) rounds.push_back(i);
    }
    return rounds;
  };
  fill(*Spool::Open(folder(), Spool::Sync::kTogether));
  EXPECT_THAT(kept(*Spool::Open(folder(), Spool::Sync::kEach)), testing::SizeIs(damages.size()));
  EXPECT_THAT(kept(*Spool::Open(folder(), Spool::Sync::kTogether)), testing::ElementsAre(0U));
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
  ASSERT_THAT(spool.RemoveSpares(), IsOk());
  EXPECT_EQ(*ListFolder(folder()),
            (std::vector<Path>{folder() / "10+ann+train+u.fxm", folder() / "notes.txt"}));
}

std::uint64_t InodeOf(const Path& path) {
  struct stat info = {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_ino;
}

TEST_F(SpoolTest, AnUpdateTakesThePlaceOfOneThatWasSwept) {
  const Spool spool = *Spool::Open(folder());
  Stage(spool, Round{8}, "ann", "train");
  const std::uint64_t place = InodeOf(spool.PathOf(Round{8}, {"ann"}, {"train"}, {"u"}));
  ASSERT_THAT(spool.Sweep(Round{9}), IsOk());
  EXPECT_FALSE(spool.Holds(Round{8}, {"ann"}, {"train"}, {"u"}));
  const Path partial = *spool.ClaimPartial(Round{9}, {"bob"}, {"train"}, {"v"}, kSize);
  EXPECT_EQ(InodeOf(partial), place);
  const auto file = PartialFile::Open(partial, kSize, FileMode::kPrivate, Survive::kProcess);
  ASSERT_THAT(file, IsOk());
  EXPECT_EQ(file->position(), 0U);
}

TEST_F(SpoolTest, SparesThatARoundDidWithoutAreRemovedAndThoseOfAnEarlierProcessToo) {
  const Spool spool = *Spool::Open(folder());
  for (const char* who : {"ann", "bob"}) Stage(spool, Round{8}, who, "train");
  ASSERT_THAT(spool.Sweep(Round{9}), IsOk());
  Stage(spool, Round{9}, "ann", "train");
  ASSERT_THAT(spool.Sweep(Round{10}), IsOk());
  EXPECT_EQ(ListFolder(folder())->size(), 1U);
  ASSERT_THAT(Spool::Open(folder()), IsOk());
  EXPECT_EQ(ListFolder(folder())->size(), 0U);
}

TEST_F(SpoolTest, HoldsAnUpdateOnceItIsCommitted) {
  const Spool spool = *Spool::Open(folder());
  const Path partial = *spool.ClaimPartial(Round{3}, {"ann"}, {"train"}, {"u"}, kSize);
  ASSERT_THAT(AtomicWrite(partial, "bytes"), IsOk());
  EXPECT_FALSE(spool.Holds(Round{3}, {"ann"}, {"train"}, {"u"}));
  ASSERT_THAT(spool.Commit(partial, Round{3}, {"ann"}, {"train"}, {"u"}), IsOk());
  EXPECT_TRUE(spool.Holds(Round{3}, {"ann"}, {"train"}, {"u"}));
}

// Partial files of `who` with some bytes in them.
class PartialFiles : public SpoolTest {
 protected:
  static Path Begin(const Spool& spool, Round round, const std::string& who,
                    const std::string& update) {
    const Path partial = *spool.ClaimPartial(round, {who}, {"train"}, {update}, kSize);
    EXPECT_THAT(AtomicWrite(partial, "half"), IsOk());
    return partial;
  }
};

TEST_F(PartialFiles, AreFoundAgainByAnotherProcess) {
  const Path partial = Begin(*Spool::Open(folder()), Round{1}, "ann+%/", "u");
  const Spool again = *Spool::Open(folder());
  EXPECT_EQ(*again.ClaimPartial(Round{1}, {"ann+%/"}, {"train"}, {"u"}, kSize), partial);
  EXPECT_EQ(*ReadFile(partial), "half");
}

TEST_F(PartialFiles, AreOneACollaborator) {
  for (const bool restart : {false, true}) {
    Spool spool = *Spool::Open(folder());
    const Path other = Begin(spool, Round{1}, "bob", "u");
    Begin(spool, Round{1}, "ann", "u");
    if (restart) spool = *Spool::Open(folder());
    const Path newer = Begin(spool, Round{1}, "ann", "v");
    EXPECT_THAT(*ListFolder(folder()), testing::UnorderedElementsAre(newer, other));
  }
}

TEST_F(PartialFiles, OfClosedRoundsAreSwept) {
  const Spool spool = *Spool::Open(folder());
  Begin(spool, Round{1}, "ann", "u");
  const Path current = Begin(spool, Round{2}, "bob", "u");
  ASSERT_THAT(spool.Sweep(Round{2}), IsOk());
  EXPECT_THAT(*ListFolder(folder()), testing::ElementsAre(current));
}

TEST_F(PartialFiles, ThatCannotBeUsedAreRemovedAtTheStart) {
  const Path good = Begin(*Spool::Open(folder()), Round{1}, "ann", "u");
  for (const char* name : {"tmp-7", "x.part", "1+ann.part", "1+ann+train+v.part",
                           "x+bob+train+u.part", "1+bob+train+u+u.part", ".part"}) {
    ASSERT_THAT(AtomicWrite(folder() / name, "half"), IsOk());
  }
  ASSERT_THAT(Spool::Open(folder()), IsOk());
  EXPECT_THAT(*ListFolder(folder()), testing::ElementsAre(good));
}

TEST_F(SpoolTest, SaysWhatCannotBeCommitted) {
  const Spool spool = *Spool::Open(folder());
  EXPECT_THAT(spool.Commit(folder() / "gone", Round{1}, {"ann"}, {"train"}, {"u"}),
              IsError(ErrorCode::kNotFound, "gone"));
}

}  // namespace
}  // namespace fx::aggregator
