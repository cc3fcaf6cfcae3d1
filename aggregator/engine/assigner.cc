#include "aggregator/engine/assigner.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <set>
#include <vector>

#include "core/base/random.h"
#include "plan/sampling.h"

namespace fx::aggregator {
namespace {

void Give(const TaskGroup& group, const CollaboratorName& who, Assignments& assignments) {
  if (!group.tasks.empty()) assignments[who] = group.tasks;
}

// How many of `n` collaborators each group gets; adds up to n if there is a group.
std::vector<std::size_t> GroupSizes(const std::vector<TaskGroup>& groups, std::size_t n) {
  std::vector<std::size_t> sizes;
  std::vector<double> cut;  // what rounding took from each group
  std::size_t left = n;
  for (const TaskGroup& group : groups) {
    const double share = group.percentage * static_cast<double>(n);
    sizes.push_back(std::min(left, static_cast<std::size_t>(share)));
    cut.push_back(share - static_cast<double>(sizes.back()));
    left -= sizes.back();
  }
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](auto a, auto b) { return cut[a] > cut[b]; });
  for (std::size_t i = 0; left > 0 && !order.empty(); ++i, --left) ++sizes[order[i % order.size()]];
  return sizes;
}

Assignments AssignRandomly(const Plan& plan, Round round) {
  const std::size_t n = plan.authorized.size();
  const RandomStream stream(HashName(plan.digest), "assign", Number(round));
  const std::vector<std::uint32_t> order = Permutation(n, stream);
  // The first of a random order are a random sample.
  const std::vector<std::size_t> sizes = GroupSizes(plan.task_groups, NumAsked(plan.sampling, n));
  Assignments assignments;
  std::size_t next = 0;
  for (std::size_t g = 0; g < sizes.size(); ++g) {
    for (const std::size_t end = next + sizes[g]; next < end; ++next) {
      Give(plan.task_groups[g], plan.authorized[order[next]], assignments);
    }
  }
  return assignments;
}

Assignments AssignStatically(const Plan& plan, Round round) {
  const std::size_t n = plan.authorized.size();
  const RandomStream stream(HashName(plan.digest), "sample", Number(round));
  const std::vector<std::uint32_t> order = Permutation(n, stream);
  std::set<CollaboratorName> asked;
  for (std::size_t i = 0; i < NumAsked(plan.sampling, n); ++i) {
    asked.insert(plan.authorized[order[i]]);
  }
  Assignments assignments;
  for (const TaskGroup& group : plan.task_groups) {
    for (const CollaboratorName& who : group.collaborators) {
      if (asked.contains(who)) Give(group, who, assignments);
    }
  }
  return assignments;
}

}  // namespace

Assignments Assign(const Plan& plan, Round round) {
  if (plan.assigner == AssignerType::kStaticGrouped) return AssignStatically(plan, round);
  return AssignRandomly(plan, round);
}

}  // namespace fx::aggregator
