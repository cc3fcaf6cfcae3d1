// aggregator.settings.best_model and .early_stopping: which aggregated model is the best, and when
// training ends before its last round.
#pragma once

#include "plan/complaints.h"
#include "plan/mapping_reader.h"
#include "plan/plan.h"
#include "plan/yaml_value.h"

namespace fx {

void ReadBestModel(MappingReader& settings, Complaints& complaints, BestModelRule& out);

// What only the whole plan tells: both need a task that validates the aggregated model, and the
// metric has to be one that such a task reports. What Python classes report is not known.
void CheckBestModel(const Plan& plan, const YamlValue& document, Complaints& complaints);

}  // namespace fx
