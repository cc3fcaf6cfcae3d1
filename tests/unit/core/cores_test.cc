#include "core/base/cores.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <string>

#include "tests/support/must.h"

namespace fx {
namespace {

using test::Must;

// How many cores this process is bound to.
int Bound() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  return CPU_COUNT(&set);
}

class CoresTest : public testing::Test {
 protected:
  void Write(const Path& file, const std::string& text) const {
    const Path path = dir_.path() / file;
    Must(MakeFolders(path.parent_path()));
    Must(AtomicWrite(path, text));
  }
  int Cores() const { return FreeCores(dir_.path() / "self", dir_.path() / "groups"); }

  TempDir dir_;
};

TEST_F(CoresTest, AreThoseTheProcessIsBoundToWhereNoGroupLimitsThem) {
  EXPECT_EQ(Cores(), Bound());
  Write("self", "0::/user.slice\n");
  Write("groups/user.slice/cpu.max", "max 100000\n");
  EXPECT_EQ(Cores(), Bound());
}

TEST_F(CoresTest, AreOneWhereItIsBoundToOne) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  std::size_t core = 0;
  while (!CPU_ISSET(core, &before)) ++core;
  CPU_SET(core, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(Cores(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST_F(CoresTest, AreWhatTheQuotaOfItsGroupAllows) {
  Write("self", "0::/\n");
  Write("groups/cpu.max", "150000 100000\n");
  EXPECT_EQ(Cores(), 1);
  Write("groups/cpu.max", "50000 100000\n");  // half a core is one that rests
  EXPECT_EQ(Cores(), 1);
}

TEST_F(CoresTest, AreWhatTheGroupAboveAllows) {
  Write("self", "0::/hospital.slice/fx.service\n");
  Write("groups/hospital.slice/cpu.max", "100000 100000\n");
  Write("groups/hospital.slice/fx.service/cpu.max", "max 100000\n");
  EXPECT_EQ(Cores(), 1);
}

TEST_F(CoresTest, AreWhatAQuotaOfTheOldKindAllows) {
  Write("self", "4:memory:/a\n3:cpu,cpuacct:/docker/a\n");
  Write("groups/cpu,cpuacct/docker/a/cpu.cfs_quota_us", "100000\n");
  Write("groups/cpu,cpuacct/docker/a/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(Cores(), 1);
  Write("groups/cpu,cpuacct/docker/a/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(Cores(), Bound());
}

TEST_F(CoresTest, AreNotLimitedByWhatCannotBeUnderstood) {
  Write("self", "nonsense\n0:\n0::/../../etc\n");
  Write("groups/cpu.max", "a few\n");
  EXPECT_EQ(Cores(), Bound());
}

}  // namespace
}  // namespace fx
