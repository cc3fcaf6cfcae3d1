// Who does what in a round.
#pragma once

#include "aggregator/engine/record.h"
#include "core/base/names.h"
#include "plan/plan.h"

namespace fx::aggregator {

// The assignments of `round`: a pure function of the plan and the round, so a restart, a replay and
// a simulation agree. Tasks are in the order of their group. Collaborators without a task are not
// listed.
//
// StaticGroupedAssigner: each group's collaborators get its tasks.
//
// RandomGroupedAssigner: the authorised list is shuffled, anew each round, keyed by the plan's
// digest, and cut into groups of int(percentage * n), as in OpenFL. Where OpenFL stops because
// somebody is left over, the groups that rounding cut the most get one more each, the earlier group
// first among equals; so every collaborator is in exactly one group, whatever the percentages.
//
// With a `fraction`, only those drawn for the round are listed, and random groups are cut from
// them: uniformly, anew each round, keyed by the plan's digest.
Assignments Assign(const Plan& plan, Round round);

}  // namespace fx::aggregator
