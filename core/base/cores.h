// How many cores this process may really use.
#pragma once

#include "core/base/file.h"

namespace fx {

// The cores it is bound to (sched_getaffinity(2)), or fewer if a control group's quota gives it
// less time than that: quota / period rounded down, of its own group and of all above it, at least
// one. Reads cpu.max of version 2 and cpu.cfs_quota_us, cpu.cfs_period_us of version 1 of Linux's
// control groups; what is not there or cannot be understood limits nothing.
//
// `self` lists the groups of the process as /proc/self/cgroup does, `groups` is where they are
// mounted.
int FreeCores(const Path& self = "/proc/self/cgroup", const Path& groups = "/sys/fs/cgroup");

}  // namespace fx
