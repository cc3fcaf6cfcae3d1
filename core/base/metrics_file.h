// logs/<origin>_metrics.txt: a JSON object a line, one a round, as OpenFL's metric writer has it:
//
//   {"round_number": 3, "elapsed_seconds": 12.5, "aggregator/train/loss": 0.41}
//
// The lines of one run follow from what it has on record, so that after a crash the file can be
// brought up to date without losing or repeating one.
#pragma once

#include <span>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/names.h"

namespace fx {

// One line, without the newline. The names of `metrics` are "<origin>/<task>/<metric>". A value
// that is not finite, which JSON cannot say, is null.
std::string MetricsLine(Round round, double elapsed_seconds, std::span<const Metric> metrics);

// A metric as OpenFL logs it, a dict of Python's: METRIC {'round': 3, 'metric_origin': 'site1',
// 'task_name': 'train', 'metric_name': 'loss', 'metric_value': 0.41}. Programs look for it.
std::string MetricText(Round round, const std::string& origin, const TaskName& task,
                       const Metric& metric);

// Appends, durably, those of `lines` that the file does not end with yet; `lines` are all there are
// in this run, or the last of them. What earlier runs left in the file stays; a last line cut short
// by a crash is dropped. The file and its folder are made if need be.
Status AppendMissingLines(const Path& file, std::span<const std::string> lines);

}  // namespace fx
