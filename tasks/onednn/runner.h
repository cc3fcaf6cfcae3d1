// The native task runner: the plan's network on oneDNN. MakeTaskRunner (tasks/task_runner.h) makes
// one; this header is for tests and benchmarks that look inside. No oneDNN type is in it.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "plan/network_spec.h"

namespace fx::onednn {

// Samples an evaluation pass takes at a time; fixed, because sums depend on it.
inline constexpr std::int64_t kEvaluationBatch = 250;

// Which implementation oneDNN picks for every primitive of the network, one a line:
// "conv1: backward weights jit:avx512_core". Shapes must be inferred.
Result<std::vector<std::string>> DescribeImplementations(const NetworkSpec& network,
                                                         std::int64_t batch, bool training);

}  // namespace fx::onednn
