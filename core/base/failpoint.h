// Failpoints: named places where a test can kill the process, or let an operation fail as a full
// disk would. Compiled in with the CMake option FX_FAILPOINTS; without it the macros are nothing.
//
//   Status Spool::Commit(...) {
//     FX_FAILPOINT_SCOPE("spool.commit");                  // a prefix, for this thread and block
//     FX_FAILPOINT("begin");                               // passes, or kills: spool.commit/begin
//     if (FX_FAILPOINT_FAILS("fsync") || ::fsync(fd) != 0) // fails as if fsync had: errno is set
//
// A point is armed by text, in tests and in the environment of fx alike (fx/main.cc: FX_FAILPOINT):
//
//   NAME:nth=N:ACTION[,NAME:nth=N:ACTION ...]   spool.commit/fsync:nth=2:kill
//
// The N-th time, counted from 1, that the process passes NAME, ACTION happens, once:
//   kill          SIGKILL to itself
//   torn          the first half is written, then the same; only where FX_FAILPOINT_WRITE stands
//   enospc, eio   the operation fails with this errno; only where one can fail
//
// What core/base/file.h declares has the points write, fsync, rename, renamed, folder_fsync, resize
// and remove; so whoever uses it gets them by opening a scope. Outside every scope they are
// file/write, ...
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace fx {

// Arms what `text` says, beside what is armed. Refuses, with kInvalidArgument, what is not of the
// form above, and, with kFailedPrecondition, everything if failpoints are not compiled in. Arming
// an action that the point cannot do is a bug and stops the process when it is due.
Status ArmFailpoints(std::string_view text);

// From now on appends each point passed to `file`, a line "NAME passes|fails|writes" that also says
// what the point can do. Refuses as ArmFailpoints does.
Status TraceFailpoints(const std::string& file);

// Forgets what is armed and counted, and traces no longer.
void ResetFailpoints();

}  // namespace fx

#if FX_FAILPOINTS

namespace fx::internal {

void PassFailpoint(std::string_view name);
bool FailpointFails(std::string_view name);  // errno says how
bool FailpointFails(std::string_view name, const std::function<void()>& write_half);

// Names of this thread are behind `scope` until the end of the block; the innermost scope counts.
class FailpointScope {
 public:
  explicit FailpointScope(std::string_view scope);  // which outlives this
  ~FailpointScope();
  FailpointScope(const FailpointScope&) = delete;
  FailpointScope& operator=(const FailpointScope&) = delete;

 private:
  std::string_view outer_;
};

}  // namespace fx::internal

#define FX_FAILPOINT(name) ::fx::internal::PassFailpoint(name)
#define FX_FAILPOINT_FAILS(name) ::fx::internal::FailpointFails(name)
#define FX_FAILPOINT_WRITE(name, ...) ::fx::internal::FailpointFails(name, __VA_ARGS__)
#define FX_FAILPOINT_SCOPE(scope) FX_FAILPOINT_SCOPE_AT(scope, __LINE__)
#define FX_FAILPOINT_SCOPE_AT(scope, line) FX_FAILPOINT_SCOPE_OF_LINE(scope, line)
#define FX_FAILPOINT_SCOPE_OF_LINE(scope, line) \
  const ::fx::internal::FailpointScope fx_failpoint_scope_##line(scope)

#else

#define FX_FAILPOINT(name) static_cast<void>(0)
#define FX_FAILPOINT_FAILS(name) false
#define FX_FAILPOINT_WRITE(name, ...) false
#define FX_FAILPOINT_SCOPE(scope) static_cast<void>(0)

#endif
