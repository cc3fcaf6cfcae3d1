// tasks.<name>.aggregation_type: which aggregation function makes the next model, and its settings.
#pragma once

#include "plan/complaints.h"
#include "plan/mapping_reader.h"
#include "plan/plan.h"
#include "plan/yaml_value.h"

namespace fx {

// The names and settings are those of the table in aggregator/functions/registry.h.
void ReadAggregationType(MappingReader& task_reader, Complaints& complaints, TaskSpec& task);

// What only the whole plan tells: all tasks in use that train must name the same function, since
// they make one model; and sites must be able to do their part of it.
void CheckAggregation(const Plan& plan, const YamlValue& document, Complaints& complaints);

// The plan lists as many sites as the function of the tasks that train needs.
void CheckNumberOfSites(const Plan& plan, const YamlValue& document, Complaints& complaints);

}  // namespace fx
