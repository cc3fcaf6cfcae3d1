// What must hold between sections of a plan that are each fine on their own.
#pragma once

#include "plan/complaints.h"
#include "plan/plan.h"
#include "plan/yaml_value.h"

namespace fx {

// Groups and tasks: every task of a group exists and is there once; a task that validates the local
// model comes after one that trains; some group trains; names of groups differ; percentages add up
// to 1 (within 0.01, as OpenFL allows). Static groups: everyone authorised is in exactly one.
// `document` gives the places.
void CrossCheck(const Plan& plan, const YamlValue& document, Complaints& complaints);

}  // namespace fx
