// A network in words, for the judge that is another program, and for whoever reads its verdict.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "plan/network_spec.h"

namespace fx::test {

// As plan.yaml writes it: "conv2d".
std::string NameOf(LossType type);
std::string NameOf(OptimizerType type);

// A line a layer, then loss and optimizer.
std::string Describe(const NetworkSpec& network);

// The whole of it, as torch_judge.py reads it.
nlohmann::json JsonOf(const NetworkSpec& network);

}  // namespace fx::test
