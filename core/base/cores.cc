#include "core/base/cores.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>
#include <string>

namespace fx {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// To be read number by number; none if the file is not there.
std::istringstream NumbersOf(const Path& file) {
  const Result<std::string> text = ReadFile(file, 4096);
  return std::istringstream(text ? *text : std::string());
}

double Share(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : kNoLimit;
}

// Of version 2: "200000 100000", or "max 100000".
double LimitOf(const Path& group) {
  double quota = 0, period = 0;
  NumbersOf(group / "cpu.max") >> quota >> period;
  return Share(quota, period);
}

// Of version 1: -1 is no limit.
double OldLimitOf(const Path& group) {
  double quota = 0, period = 0;
  NumbersOf(group / "cpu.cfs_quota_us") >> quota;
  NumbersOf(group / "cpu.cfs_period_us") >> period;
  return Share(quota, period);
}

// Of a group and all above it, up to `root`. Inside a container the path may be one that is not
// mounted there, and `root` the group itself.
double LowestLimit(const Path& root, const std::string& group, double (*limit)(const Path&)) {
  double lowest = limit(root);
  Path at = root;
  for (const Path& step : Path(group).relative_path()) {
    if (step == "..") break;
    at /= step;
    lowest = std::min(lowest, limit(at));
  }
  return lowest;
}

// A line of /proc/self/cgroup is "number:controllers:path"; version 2 has no controllers.
double LimitOfLine(const std::string& line, const Path& groups) {
  const std::size_t first = line.find(':');
  if (first == std::string::npos) return kNoLimit;
  const std::size_t second = line.find(':', first + 1);
  if (second == std::string::npos) return kNoLimit;
  const std::string controllers = line.substr(first + 1, second - first - 1);
  const std::string group = line.substr(second + 1);
  if (controllers.empty()) return LowestLimit(groups, group, LimitOf);
  const bool cpu = ("," + controllers + ",").find(",cpu,") != std::string::npos;
  if (!cpu) return kNoLimit;
  return std::min(LowestLimit(groups / "cpu", group, OldLimitOf),
                  LowestLimit(groups / controllers, group, OldLimitOf));
}

int BoundTo() {
  std::array<cpu_set_t, 8> sets = {};  // 8192 cores; with one, 1024, Linux refuses larger machines
  if (sched_getaffinity(0, sizeof(sets), sets.data()) != 0) return 1;
  return CPU_COUNT_S(sizeof(sets), sets.data());
}

}  // namespace

int FreeCores(const Path& self, const Path& groups) {
  double cores = std::max(1, BoundTo());
  const Result<std::string> listed = ReadFile(self, 64 << 10);
  std::istringstream lines(listed ? *listed : std::string());
  for (std::string line; std::getline(lines, line);) {
    cores = std::min(cores, LimitOfLine(line, groups));
  }
  return std::max(1, static_cast<int>(cores));
}

}  // namespace fx
