#include "core/base/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <optional>
#include <string>

#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using testing::IsEmpty;

unsigned ModeOf(const Path& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0U;
}

std::vector<std::string> NamesIn(const Path& folder) {
  std::vector<std::string> names;
  const std::vector<Path> paths = ListFolder(folder).value();
  for (const Path& path : paths) names.push_back(path.filename().string());
  return names;
}

// Runs `body` in a process of its own; its exit code, or -1 if it was killed.
int InAnotherProcess(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class FileTest : public testing::Test {
 protected:
  Path In(std::string_view name) const { return dir_.path() / name; }
  TempDir dir_;
};

TEST_F(FileTest, ReadsBackWhatWasWritten) {
  const std::string bytes("a\0b\n", 4);
  ASSERT_THAT(AtomicWrite(In("f"), bytes), IsOk());
  EXPECT_THAT(ReadFile(In("f")), IsOkAndHolds(bytes));
  EXPECT_THAT(FileSize(In("f")), IsOkAndHolds(4U));
}

TEST_F(FileTest, ReadsAFileWithoutAKnownSize) {
  EXPECT_THAT(ReadFile("/proc/self/stat"), IsOkAndHolds(testing::HasSubstr("core_test")));
}

TEST_F(FileTest, RefusesToReadBeyondTheLimit) {
  ASSERT_THAT(AtomicWrite(In("f"), "12345"), IsOk());
  EXPECT_THAT(ReadFile(In("f"), 5), IsOkAndHolds("12345"));
  EXPECT_THAT(ReadFile(In("f"), 4), IsError(ErrorCode::kResourceExhausted, "larger than 4 bytes"));
  EXPECT_THAT(ReadFile("/dev/zero", 1000), IsError(ErrorCode::kResourceExhausted, "/dev/zero"));
}

TEST_F(FileTest, SaysWhyAFileCannotBeRead) {
  EXPECT_THAT(ReadFile(In("none")), IsError(ErrorCode::kNotFound, "none: No such file"));
  EXPECT_THAT(ReadFile(In("")), IsError(ErrorCode::kFailedPrecondition, "Is a directory"));
  EXPECT_THAT(FileSize(In("")), IsError(ErrorCode::kFailedPrecondition, "is not a file"));
}

TEST_F(FileTest, ReplacesAFileWhole) {
  ASSERT_THAT(AtomicWrite(In("f"), "a long first version"), IsOk());
  ASSERT_THAT(AtomicWrite(In("f"), "short"), IsOk());
  EXPECT_THAT(ReadFile(In("f")), IsOkAndHolds("short"));
  EXPECT_THAT(NamesIn(dir_.path()), testing::ElementsAre("f"));
}

TEST_F(FileTest, LeavesTheOldFileAndNoTemporaryWhenTheDiskRefuses) {
  ASSERT_THAT(AtomicWrite(In("f"), "old"), IsOk());
  // A process that may write files of a thousand bytes only.
  const int code = InAnotherProcess([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    const Status status = AtomicWrite(In("f"), std::string(5000, 'x'));
    const bool said = !status && status.error().message() ==
                                     "cannot write " + In("f").string() + ": File too large";
    return said ? 0 : 1;
  });
  EXPECT_EQ(code, 0);
  EXPECT_THAT(ReadFile(In("f")), IsOkAndHolds("old"));
  EXPECT_THAT(NamesIn(dir_.path()), testing::ElementsAre("f"));
}

TEST_F(FileTest, LeavesNoTemporaryWhenTheNameIsTakenByAFolder) {
  ASSERT_THAT(MakeFolders(In("taken")), IsOk());
  EXPECT_THAT(AtomicWrite(In("taken"), "x"), IsError(ErrorCode::kFailedPrecondition, "taken"));
  EXPECT_THAT(NamesIn(dir_.path()), testing::ElementsAre("taken"));
}

TEST_F(FileTest, SaysTheWantedNameWhenTheFolderIsMissing) {
  EXPECT_THAT(AtomicWrite(In("no/f"), "x"), IsError(ErrorCode::kNotFound, "no/f: No such file"));
}

TEST_F(FileTest, AReaderSeesTheOldBytesOrTheNewOnesOnly) {
  const std::string first(100'000, 'a');
  const std::string second(100'000, 'b');
  ASSERT_THAT(AtomicWrite(In("f"), first), IsOk());
  const pid_t writer = ::fork();
  if (writer == 0) {
    for (int i = 0; i < 20; ++i) (void)AtomicWrite(In("f"), i % 2 == 0 ? second : first);
    ::_exit(0);
  }
  int status = 0;
  do {
    const std::string seen = ReadFile(In("f")).value_or("");
    ASSERT_TRUE(seen == first || seen == second);
  } while (::waitpid(writer, &status, WNOHANG) == 0);
}

TEST_F(FileTest, GivesNewFilesTheModeAskedFor) {
  const mode_t before = ::umask(022);
  EXPECT_THAT(AtomicWrite(In("public"), "x"), IsOk());
  EXPECT_THAT(AtomicWrite(In("private"), "x", FileMode::kPrivate), IsOk());
  EXPECT_THAT(AtomicWrite(In("frozen"), "x", FileMode::kFrozen), IsOk());
  ::umask(before);
  EXPECT_EQ(ModeOf(In("public")), 0644U);
  EXPECT_EQ(ModeOf(In("private")), 0600U);
  EXPECT_EQ(ModeOf(In("frozen")), 0400U);
}

TEST_F(FileTest, TakesAccessAwayWhenAPrivateFileReplacesAPublicOne) {
  ASSERT_THAT(AtomicWrite(In("f"), "x"), IsOk());
  ASSERT_THAT(AtomicWrite(In("f"), "secret", FileMode::kPrivate), IsOk());
  EXPECT_EQ(ModeOf(In("f")), 0600U);
  ASSERT_THAT(AtomicWrite(In("g"), "x"), IsOk());
  ASSERT_THAT(OutputFile::Open(In("g"), OutputFile::Existing::kKeep, FileMode::kPrivate), IsOk());
  EXPECT_EQ(ModeOf(In("g")), 0600U);
}

TEST_F(FileTest, ReplacesALinkRatherThanWhatItPointsTo) {
  ASSERT_THAT(AtomicWrite(In("target"), "precious"), IsOk());
  std::filesystem::create_symlink(In("target"), In("link"));
  ASSERT_THAT(AtomicWrite(In("link"), "new"), IsOk());
  EXPECT_THAT(ReadFile(In("target")), IsOkAndHolds("precious"));
  EXPECT_THAT(ReadFile(In("link")), IsOkAndHolds("new"));
}

TEST_F(FileTest, RenamesOverAnOlderFile) {
  ASSERT_THAT(AtomicWrite(In("a"), "new"), IsOk());
  ASSERT_THAT(AtomicWrite(In("b"), "old"), IsOk());
  EXPECT_THAT(RenameDurably(In("a"), In("b")), IsOk());
  EXPECT_THAT(ReadFile(In("b")), IsOkAndHolds("new"));
  EXPECT_FALSE(Exists(In("a")));
  EXPECT_THAT(RenameDurably(In("a"), In("b")), IsError(ErrorCode::kNotFound, "cannot rename"));
}

TEST_F(FileTest, MakesFoldersOnceAndAgain) {
  EXPECT_THAT(MakeFolders(In("x/y/z"), 0700), IsOk());
  EXPECT_THAT(MakeFolders(In("x/y/z")), IsOk());
  EXPECT_THAT(MakeFolders(In("x/y/z/")), IsOk());
  EXPECT_EQ(ModeOf(In("x/y/z")), 0700U);
  ASSERT_THAT(AtomicWrite(In("file"), "x"), IsOk());
  EXPECT_THAT(MakeFolders(In("file/sub")),
              IsError(ErrorCode::kFailedPrecondition, "file: Not a directory"));
}

TEST_F(FileTest, RemovesAFileOrFindsItGone) {
  ASSERT_THAT(AtomicWrite(In("f"), "x"), IsOk());
  EXPECT_TRUE(Exists(In("f")));
  EXPECT_THAT(RemoveIfExists(In("f")), IsOk());
  EXPECT_FALSE(Exists(In("f")));
  EXPECT_THAT(RemoveIfExists(In("f")), IsOk());
}

TEST_F(FileTest, ListsAFolderByName) {
  for (const char* name : {"c", "a", "b"}) ASSERT_THAT(AtomicWrite(In(name), ""), IsOk());
  EXPECT_THAT(NamesIn(dir_.path()), testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(ListFolder(In("none")), IsError(ErrorCode::kNotFound, "none"));
}

TEST_F(FileTest, MapsAWholeFile) {
  ASSERT_THAT(AtomicWrite(In("f"), "mapped"), IsOk());
  MappedFile file = MappedFile::Open(In("f")).value();
  const MappedFile moved = std::move(file);
  EXPECT_TRUE(std::ranges::equal(moved.bytes(), AsBytes("mapped")));
}

TEST_F(FileTest, MapsAnEmptyFileAsNothing) {
  ASSERT_THAT(AtomicWrite(In("f"), ""), IsOk());
  EXPECT_THAT(MappedFile::Open(In("f")).value().bytes(), IsEmpty());
}

TEST_F(FileTest, RefusesToMapWhatIsNotAFile) {
  EXPECT_THAT(MappedFile::Open(dir_.path()), IsError(ErrorCode::kFailedPrecondition, "not a file"));
  EXPECT_THAT(MappedFile::Open(In("none")), IsError(ErrorCode::kNotFound, "none"));
}

TEST_F(FileTest, WritesAtOffsetsAndResumes) {
  {
    OutputFile file = OutputFile::Open(In("f")).value();
    EXPECT_THAT(file.WriteAt(4, AsBytes("late")), IsOk());
    EXPECT_THAT(file.Sync(), IsOk());
  }
  OutputFile file = OutputFile::Open(In("f"), OutputFile::Existing::kKeep).value();
  EXPECT_THAT(file.WriteAt(0, AsBytes("soon")), IsOk());
  EXPECT_THAT(ReadFile(In("f")), IsOkAndHolds("soonlate"));
  EXPECT_THAT(file.Resize(2), IsOk());
  EXPECT_THAT(ReadFile(In("f")), IsOkAndHolds("so"));
  ASSERT_THAT(OutputFile::Open(In("f")), IsOk());
  EXPECT_THAT(ReadFile(In("f")), IsOkAndHolds(""));
}

TEST_F(FileTest, WritesPiecesOneAfterTheOther) {
  // More of them than one system call takes.
  std::string expected;
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) texts.push_back(std::string(static_cast<std::size_t>(i % 3), 'x'));
  texts[2998] = "last";
  std::vector<std::span<const std::byte>> pieces;
  for (const std::string& text : texts) {
    pieces.push_back(AsBytes(text));
    expected += text;
  }
  OutputFile file = *OutputFile::Open(In("f"));
  ASSERT_THAT(file.WriteAt(0, AsBytes("begin ")), IsOk());
  ASSERT_THAT(file.WriteAt(6, pieces), IsOk());
  file.BeginWriteback(0, expected.size());
  EXPECT_THAT(ReadFile(In("f")), IsOkAndHolds("begin " + expected));
}

TEST_F(FileTest, SaysWhenTheDeviceIsFull) {
  OutputFile full = OutputFile::Open("/dev/full").value();
  EXPECT_THAT(
      full.WriteAt(0, AsBytes("x")),
      IsError(ErrorCode::kResourceExhausted, "cannot write /dev/full: No space left on device"));
}

TEST_F(FileTest, LocksOutAnotherProcessUntilReleased) {
  const auto another_can_lock = [&] {
    return InAnotherProcess([&] { return FileLock::Acquire(In("lock")) ? 0 : 1; }) == 0;
  };
  {
    const Result<FileLock> lock = FileLock::Acquire(In("lock"));
    ASSERT_THAT(lock, IsOk());
    EXPECT_FALSE(another_can_lock());
    EXPECT_THAT(FileLock::Acquire(In("lock")),
                IsError(ErrorCode::kFailedPrecondition, "another process holds it"));
  }
  EXPECT_TRUE(another_can_lock());
}

TEST_F(FileTest, FreesTheLockOfAProcessThatDied) {
  EXPECT_EQ(InAnotherProcess([&] {
              const auto lock = FileLock::Acquire(In("lock"));
              return ::raise(SIGKILL);
            }),
            -1);
  EXPECT_THAT(FileLock::Acquire(In("lock")), IsOk());
}

TEST_F(FileTest, SeesWhetherALockIsHeldWithoutTakingIt) {
  EXPECT_THAT(FileLock::IsHeld(In("lock")), IsOkAndHolds(false));  // nor making it
  EXPECT_FALSE(Exists(In("lock")));
  {
    const Result<FileLock> lock = FileLock::Acquire(In("lock"));
    EXPECT_THAT(FileLock::IsHeld(In("lock")), IsOkAndHolds(true));
    EXPECT_EQ(InAnotherProcess([&] { return FileLock::IsHeld(In("lock")).value() ? 1 : 0; }), 1);
  }
  EXPECT_THAT(FileLock::IsHeld(In("lock")), IsOkAndHolds(false));
}

TEST(TempDir, IsRemovedWithItsContents) {
  std::optional<TempDir> dir(std::in_place);
  const Path path = dir->path();
  ASSERT_THAT(MakeFolders(path / "a/b"), IsOk());
  ASSERT_THAT(AtomicWrite(path / "a/b/f", "x"), IsOk());
  EXPECT_EQ(ModeOf(path), 0700U);
  dir.reset();
  EXPECT_FALSE(Exists(path));
}

}  // namespace
}  // namespace fx
