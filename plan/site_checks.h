// What must hold between a plan and the number of its collaborators.
#pragma once

#include "plan/complaints.h"
#include "plan/plan.h"
#include "plan/yaml_value.h"

namespace fx {

// There are as many sites as the aggregation function needs, and a round waits for as many as it
// may not close without (minimum_reporting). Says nothing while nobody is authorised. `document`
// gives the places.
void CheckSites(const Plan& plan, const YamlValue& document, Complaints& complaints);

}  // namespace fx
