// logs/<collaborator>_metrics.txt: a JSON object a line, one a round, as OpenFL's metric writer has
// it:
//
//   {"round_number": 3, "elapsed_seconds": 12.5, "site1/train/loss": 0.41}
#pragma once

#include <span>
#include <string>

#include "collaborator/finished_task.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx::collaborator {

// The line of a round, without a newline. `elapsed_seconds` is what its tasks took. A value that is
// not finite, which JSON cannot say, is null.
std::string MetricsLine(const CollaboratorName& who, Round round,
                        std::span<const FinishedTask> results);

// Appends a line, durably, unless it is already the last. A last line cut short by a crash is
// dropped first.
Status AppendMetricsLine(const Path& file, const std::string& line);

}  // namespace fx::collaborator
