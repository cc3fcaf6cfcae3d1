#include "core/base/failpoint.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <string>

#include "core/base/file.h"
#include "tests/support/matchers.h"

namespace fx {
namespace {

using test::IsError;
using test::IsOk;

#if FX_FAILPOINTS

// The signal that ended `body`, run in a process of its own; 0 if it returned.
int SignalOf(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

class FailpointTest : public testing::Test {
 protected:
  ~FailpointTest() override { ResetFailpoints(); }
  Path file(const char* name) const { return folder_.path() / name; }
  TempDir folder_;
};

TEST_F(FailpointTest, DoesNothingUnlessArmed) {
  FX_FAILPOINT("here");
  EXPECT_FALSE(FX_FAILPOINT_FAILS("here"));
}

TEST_F(FailpointTest, FailsOnceAtTheNthPass) {
  FX_FAILPOINT_SCOPE("test");
  ASSERT_THAT(ArmFailpoints("test/here:nth=2:enospc"), IsOk());
  EXPECT_FALSE(FX_FAILPOINT_FAILS("here"));
  EXPECT_FALSE(FX_FAILPOINT_FAILS("there"));
  EXPECT_TRUE(FX_FAILPOINT_FAILS("here"));
  EXPECT_EQ(errno, ENOSPC);
  EXPECT_FALSE(FX_FAILPOINT_FAILS("here"));
}

TEST_F(FailpointTest, IsNamedAfterTheInnermostScope) {
  ASSERT_THAT(ArmFailpoints("inner/here:nth=1:eio,outer/here:nth=1:enospc"), IsOk());
  FX_FAILPOINT_SCOPE("outer");
  const auto in_scope = [] {
    FX_FAILPOINT_SCOPE("inner");
    return FX_FAILPOINT_FAILS("here") ? errno : 0;
  };
  EXPECT_EQ(in_scope(), EIO);
  EXPECT_TRUE(FX_FAILPOINT_FAILS("here"));
  EXPECT_EQ(errno, ENOSPC);
}

TEST_F(FailpointTest, KillsTheProcess) {
  FX_FAILPOINT_SCOPE("test");
  EXPECT_EQ(SignalOf([] {
              ASSERT_THAT(ArmFailpoints("test/here:nth=1:kill"), IsOk());
              FX_FAILPOINT("here");
            }),
            SIGKILL);
}

TEST_F(FailpointTest, StopsAtAnActionThatThePointCannotDo) {
  FX_FAILPOINT_SCOPE("test");
  EXPECT_EQ(SignalOf([] {
              ASSERT_THAT(ArmFailpoints("test/here:nth=1:enospc"), IsOk());
              FX_FAILPOINT("here");
            }),
            SIGABRT);
  EXPECT_EQ(SignalOf([] {
              ASSERT_THAT(ArmFailpoints("test/here:nth=1:torn"), IsOk());
              EXPECT_FALSE(FX_FAILPOINT_FAILS("here"));
            }),
            SIGABRT);
}

TEST_F(FailpointTest, TracesWhatIsPassedAndWhatItCouldDo) {
  FX_FAILPOINT_SCOPE("test");
  ASSERT_THAT(TraceFailpoints(file("trace").string()), IsOk());
  FX_FAILPOINT("here");
  EXPECT_FALSE(FX_FAILPOINT_FAILS("there"));
  EXPECT_FALSE(FX_FAILPOINT_WRITE("there", [] {}));
  ResetFailpoints();
  FX_FAILPOINT("untraced");
  EXPECT_EQ(*ReadFile(file("trace")), "test/here passes\ntest/there fails\ntest/there writes\n");
}

TEST_F(FailpointTest, LetsAnAtomicWriteFailWithoutATrace) {
  for (const char* point : {"file/write", "file/fsync", "file/rename"}) {
    ASSERT_THAT(ArmFailpoints(std::string(point) + ":nth=1:enospc"), IsOk());
    EXPECT_THAT(AtomicWrite(file("text"), "new"),
                IsError(ErrorCode::kResourceExhausted, "No space left on device"))
        << point;
    EXPECT_TRUE(ListFolder(folder_.path())->empty()) << point;
    ResetFailpoints();
  }
}

TEST_F(FailpointTest, TearsAWriteInTheMiddle) {
  EXPECT_EQ(SignalOf([this] {
              ASSERT_THAT(ArmFailpoints("file/write:nth=2:torn"), IsOk());
              auto out = OutputFile::Open(file("text"));
              ASSERT_THAT(out->WriteAt(0, AsBytes("whole ")), IsOk());
              (void)out->WriteAt(6, AsBytes("halfgone"));
            }),
            SIGKILL);
  EXPECT_EQ(*ReadFile(file("text")), "whole half");
}

TEST_F(FailpointTest, RefusesEveryOtherSyntaxAndArmsNothingOfIt) {
  for (const char* text : {"", "x", "x:kill", "x:nth=1", "x:nth=0:kill", "x:nth=-1:kill",
                           "x:nth=1k:kill", "x:nth=:kill", ":nth=1:kill", "x:nth=1:die",
                           "x:nth=1:kill ", "x:nth=1:kill,", "file/here:nth=1:enospc,x:nth=1:"}) {
    EXPECT_THAT(ArmFailpoints(text), IsError(ErrorCode::kInvalidArgument, "is not a failpoint"))
        << text;
  }
  EXPECT_FALSE(FX_FAILPOINT_FAILS("here"));
}

TEST_F(FailpointTest, SaysWhereItCannotTraceTo) {
  EXPECT_THAT(TraceFailpoints(file("none/trace").string()),
              IsError(ErrorCode::kFailedPrecondition, "none/trace: No such file"));
}

#else

TEST(FailpointTest, RefusesToBeArmedIfItIsNotCompiledIn) {
  EXPECT_THAT(ArmFailpoints("x:nth=1:kill"),
              IsError(ErrorCode::kFailedPrecondition, "FX_FAILPOINTS=ON"));
  EXPECT_THAT(TraceFailpoints("x"), IsError(ErrorCode::kFailedPrecondition, "FX_FAILPOINTS=ON"));
}

#endif

}  // namespace
}  // namespace fx
