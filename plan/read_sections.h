// One function a section of the plan: from YAML to the structs of plan/plan.h. Each complains about
// everything it finds and leaves what is wrong at its default.
#pragma once

#include "plan/complaints.h"
#include "plan/plan.h"
#include "plan/yaml_value.h"

namespace fx {

// `plan` is the merged document (plan/merge_defaults.h).
void ReadAggregator(const YamlValue& plan, Complaints& complaints, AggregatorSettings& out);
void ReadCollaborator(const YamlValue& plan, Complaints& complaints, CollaboratorSettings& out);
// These two leave `out` as it is, and add to `python`, if the component is a Python class.
void ReadDataLoader(const YamlValue& plan, Complaints& complaints, DataLoaderSettings& out,
                    std::vector<PythonPart>& python);
void ReadTaskRunner(const YamlValue& plan, Complaints& complaints, NetworkSpec& out,
                    std::vector<PythonPart>& python);
void ReadNetwork(const YamlValue& plan, Complaints& complaints, NetworkSettings& out);
void ReadCompressionPipeline(const YamlValue& plan, Complaints& complaints);
void ReadStragglerPolicy(const YamlValue& plan, Complaints& complaints, StragglerPolicy& out);
// `network` is what the tasks train, read before; null if Python does, which has metrics and
// settings of its own.
void ReadTasks(const YamlValue& plan, const NetworkSpec* network, Complaints& complaints,
               std::map<TaskName, TaskSpec>& out);
void ReadAssigner(const YamlValue& plan, Complaints& complaints, Plan& out);

// Complains about sections that are none of these.
void CheckSectionNames(const YamlValue& plan, Complaints& complaints);

// All of the above, and what only shows when the sections are compared.
void ReadPlan(const YamlValue& document, Complaints& complaints, Plan& plan);

}  // namespace fx
