// A whole federation in one process: the aggregator, and every site with its data.
#pragma once

#include <functional>
#include <vector>

#include "core/base/error.h"
#include "core/base/names.h"
#include "plan/plan.h"
#include "tests/bench/algorithms/attack.h"

namespace fx::bench {

// "site1" has the first shard of the plan's data, "site2" the second, ...
std::vector<CollaboratorName> Sites(const Plan& plan);

// Plays the plan through a real aggregator and real collaborators over loopback, each site on a
// thread of its own; `attack_of` says what a site does. The accuracy on all validation data of the
// model each round began with, and of the last model; 0 of one whose outputs are not finite.
Result<std::vector<double>> Accuracies(
    Plan plan, const std::function<Attack(const CollaboratorName&)>& attack_of);

}  // namespace fx::bench
