// The networks scripts/bench training measures.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "plan/network_spec.h"

namespace fx::bench {

// mcmahan: the CNN for MNIST of McMahan et al. 2017, 1,663,370 weights; mlp: 784-200-200-10 of the
// same paper; unet: 128x128, 16 filters at the top, four levels down (Ronneberger et al. 2015).
// Anything else is the name of a template.
Result<NetworkSpec> BenchNetwork(const std::string& name);
std::vector<std::string> BenchNetworks();

}  // namespace fx::bench
