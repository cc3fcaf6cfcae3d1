#include "aggregator/engine/round_policy.h"

#include <algorithm>

namespace fx::aggregator {

bool MayClose(const StragglerPolicy& policy, const RoundProgress& progress, bool past_deadline) {
  if (progress.done >= progress.assigned) return true;
  if (progress.done < std::max<std::size_t>(1, policy.minimum_reporting)) return false;
  const double needed = policy.percent_needed * static_cast<double>(progress.assigned);
  return past_deadline || static_cast<double>(progress.done) >= needed;
}

bool WaitsForDeadline(const StragglerPolicy& policy, const RoundProgress& progress) {
  return MayClose(policy, progress, true) && !MayClose(policy, progress, false);
}

}  // namespace fx::aggregator
