// The parts of the section task_runner: from YAML to the structs of plan/network_spec.h. Each
// complains about everything it finds and leaves what is wrong at its default.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "plan/complaints.h"
#include "plan/mapping_reader.h"
#include "plan/network_spec.h"

namespace fx {

// The types of layers by their words in the plan: conv2d, dense, ...
const std::vector<Choice>& LayerChoices();
// Of a name made up for a layer of the type, before a number: conv1, conv2.
std::string_view LayerNamePrefix(LayerType type);

// The keys of one layer that belong to its type: all but type, name and inputs.
void ReadLayerSettings(MappingReader& layer, Complaints& complaints, LayerSpec& out);

// The list `layers`, with names made up where it has none, and with `inputs` by place. False after
// a complaint: shapes worked out from such layers would only confuse.
bool ReadLayers(MappingReader& settings, Complaints& complaints, std::vector<LayerSpec>& out);

// `loss`: a word, or a mapping with `type`.
void ReadLoss(MappingReader& settings, Complaints& complaints, LossSpec& out);

void ReadOptimizer(MappingReader& settings, Complaints& complaints, OptimizerSpec& out);

// The largest number of values a layer puts out along an axis, and of an extent of a sample.
inline constexpr std::int64_t kMaxUnits = 1 << 20;

}  // namespace fx
