// When a round may close although somebody has not finished.
#pragma once

#include <cstddef>

#include "plan/plan.h"

namespace fx::aggregator {

// Collaborators of the round that are waited for, and how many have done all of their work.
struct RoundProgress {
  std::size_t assigned = 0;
  std::size_t done = 0;
};

// A round closes when everyone is done. Before that it needs minimum_reporting of them (never fewer
// than one), and either percent_needed of those assigned, or the deadline behind it. At a deadline
// with too few the round stays open until there are enough.
bool MayClose(const StragglerPolicy& policy, const RoundProgress& progress, bool past_deadline);

// Whether the deadline is all that such a round waits for.
bool WaitsForDeadline(const StragglerPolicy& policy, const RoundProgress& progress);

}  // namespace fx::aggregator
