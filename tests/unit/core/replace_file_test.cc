#include "core/base/replace_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "tests/support/matchers.h"
#include "tests/support/must.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;
using test::IsOkAndHolds;
using test::Must;

class ReplaceFileTest : public testing::Test {
 protected:
  struct stat Now() const {
    struct stat found = {};
    EXPECT_EQ(::stat(file_.c_str(), &found), 0);
    return found;
  }
  // In a process of another user; true if `work` said so.
  static bool As(uid_t user, gid_t group, const std::function<bool()>& work) {
    const pid_t other = ::fork();
    if (other == 0) ::_exit(::setgid(group) == 0 && ::setuid(user) == 0 && work() ? 0 : 1);
    int status = 0;
    EXPECT_EQ(::waitpid(other, &status, 0), other);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

  TempDir folder_;
  const Path file_ = folder_.path() / "cols.yaml";
};

TEST_F(ReplaceFileTest, KeepsThePermissionBits) {
  Must(AtomicWrite(file_, "old"));
  for (const mode_t mode : {0640U, 0600U, 0444U, 0666U}) {
    ASSERT_EQ(::chmod(file_.c_str(), mode), 0);
    EXPECT_THAT(ReplaceFile(file_, "new"), IsOk());
    EXPECT_EQ(Now().st_mode & 0777U, mode);
  }
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("new"));
}

TEST_F(ReplaceFileTest, MakesAFileThatIsNotThere) {
  EXPECT_THAT(ReplaceFile(file_, "new"), IsOk());
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("new"));
  EXPECT_THAT(ReplaceFile(folder_.path() / "no" / "f", "new"),
              IsError(ErrorCode::kNotFound, "no/f: No such file"));
}

// Only root can give a file away; anybody else has files of the own user only, which stay so.
TEST_F(ReplaceFileTest, KeepsOwnerAndGroup) {
  constexpr uid_t kService = 4711;
  constexpr gid_t kGroup = 4712;
  const bool root = ::geteuid() == 0;
  Must(AtomicWrite(file_, "old"));
  ASSERT_TRUE(!root || ::chown(file_.c_str(), kService, kGroup) == 0);
  EXPECT_THAT(ReplaceFile(file_, "new"), IsOk());
  EXPECT_EQ(Now().st_uid, root ? kService : ::geteuid());
  EXPECT_EQ(Now().st_gid, root ? kGroup : ::getegid());
}

TEST_F(ReplaceFileTest, LeavesAFileWhoseOwnerItCannotKeep) {
  constexpr uid_t kSomebody = 4711;
  if (::geteuid() != 0) return;  // a file of another user cannot be made
  Must(AtomicWrite(file_, "old"));
  ASSERT_EQ(::chmod(folder_.path().c_str(), 0777), 0);
  EXPECT_TRUE(As(kSomebody, kSomebody, [&] {
    const Status written = ReplaceFile(file_, "new");
    return !written && written.error().code() == ErrorCode::kPermissionDenied &&
           written.error().message().find("it belongs to user 0 and group 0") != std::string::npos;
  }));
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("old"));
  EXPECT_EQ(Must(ListFolder(folder_.path())).size(), 1U);  // nothing half-written stays
}

TEST_F(ReplaceFileTest, WritesWhatALinkLeadsTo) {
  const Path shared = folder_.path() / "shared";
  const Path plan = folder_.path() / "plan";
  Must(MakeFolders(shared));
  Must(MakeFolders(plan));
  Must(AtomicWrite(shared / "cols.yaml", "old"));
  std::filesystem::create_symlink(shared / "cols.yaml", shared / "absolute");
  std::filesystem::create_symlink("../shared/absolute", plan / "cols.yaml");
  EXPECT_THAT(ReplaceFile(plan / "cols.yaml", "new"), IsOk());
  EXPECT_THAT(ReadFile(shared / "cols.yaml"), IsOkAndHolds("new"));
  EXPECT_TRUE(std::filesystem::is_symlink(plan / "cols.yaml"));
  EXPECT_TRUE(std::filesystem::is_symlink(shared / "absolute"));
  EXPECT_FALSE(std::filesystem::is_symlink(shared / "cols.yaml"));
  EXPECT_EQ(Must(ListFolder(plan)).size(), 1U);
}

TEST_F(ReplaceFileTest, RefusesLinksThatLeadToNoFile) {
  std::filesystem::create_symlink("nowhere.yaml", file_);
  EXPECT_THAT(ReplaceFile(file_, "new"),
              IsError(ErrorCode::kFailedPrecondition,
                      "cols.yaml: it is a symbolic link to nowhere.yaml, which leads to no file"));
  EXPECT_FALSE(Exists(folder_.path() / "nowhere.yaml"));
  std::filesystem::create_symlink("cols.yaml", folder_.path() / "nowhere.yaml");
  EXPECT_THAT(ReplaceFile(file_, "new"),
              IsError(ErrorCode::kFailedPrecondition, "to nowhere.yaml, which leads in a circle"));
  EXPECT_TRUE(std::filesystem::is_symlink(file_));
}

// The user of a service, whose folder it is, must not have root change what is not the user's.
TEST_F(ReplaceFileTest, DoesNotFollowALinkThatSomebodyElseMadeToAFileOfOthers) {
  constexpr uid_t kService = 4711;
  if (::geteuid() != 0) return;  // a link of another user cannot be made
  const Path other = folder_.path() / "other";
  Must(AtomicWrite(other, "old"));
  std::filesystem::create_symlink("other", file_);
  ASSERT_EQ(::lchown(file_.c_str(), kService, kService), 0);
  EXPECT_THAT(ReplaceFile(file_, "new"),
              IsError(ErrorCode::kPermissionDenied,
                      "it is a symbolic link of user 4711 to a file of user 0"));
  EXPECT_THAT(ReadFile(other), IsOkAndHolds("old"));
  ASSERT_EQ(::chown(other.c_str(), kService, kService), 0);
  EXPECT_THAT(ReplaceFile(file_, "new"), IsOk());
  EXPECT_THAT(ReadFile(other), IsOkAndHolds("new"));
}

TEST_F(ReplaceFileTest, GivesWhatTakesItsPlaceTheOwnerOfTheOld) {
  const bool root = ::geteuid() == 0;
  const Path next = folder_.path() / "next";
  Must(AtomicWrite(file_, "old"));
  Must(AtomicWrite(next, "new"));
  ASSERT_TRUE(!root || ::chown(file_.c_str(), 4711, 4712) == 0);
  EXPECT_THAT(ReplaceBy(next, file_), IsOk());
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("new"));
  EXPECT_EQ(Now().st_uid, root ? 4711 : ::geteuid());
}

TEST_F(ReplaceFileTest, LetsOneAtATimeChangeAFolder) {
  std::atomic<int> within = 0;
  std::atomic<bool> alone = true;
  const auto count = [&] {
    for (int i = 0; i < 50; ++i) {
      const FolderLock lock = Must(FolderLock::Acquire(folder_.path()));
      if (++within != 1) alone = false;
      const int number = std::stoi(Must(ReadFile(file_)));
      Must(ReplaceFile(file_, std::to_string(number + 1)));
      --within;
    }
  };
  Must(AtomicWrite(file_, "0"));
  std::jthread other(count);
  count();
  other.join();
  EXPECT_TRUE(alone);
  EXPECT_THAT(ReadFile(file_), IsOkAndHolds("100"));
}

TEST_F(ReplaceFileTest, DoesNotWaitForEverForAnother) {
  const FolderLock lock = Must(FolderLock::Acquire(folder_.path()));
  EXPECT_THAT(FolderLock::Acquire(folder_.path(), std::chrono::milliseconds(20)),
              IsError(ErrorCode::kAborted, "another command is changing files in"));
  EXPECT_EQ(Must(ListFolder(folder_.path())).size(), 0U);  // and left nothing there
}

}  // namespace
}  // namespace fx
