// The loader of tables.
#pragma once

#include <memory>
#include <string>

#include "core/base/error.h"
#include "plan/data_spec.h"
#include "tasks/data_loader.h"

namespace fx {

// Reads a file, of which settings.validation_share is held out, or a folder with train.csv and
// validation.csv. What columns become is said by settings.table, and in docs/reference/plan.md in
// more words. A sample is [inputs]: a column of numbers is one input, one of words as many as the
// plan lists words. Targets are {} (a class), or [1] for binary and regression.
//
// Refuses, naming file, line and column: what ReadCsv refuses; a column that the plan names and the
// file does not have; text where a number is wanted, or a number that is not finite; a word that
// the plan does not list; a missing value, unless the plan says what it is; a missing label.
Result<std::unique_ptr<DataLoader>> MakeCsvDataLoader(const DataLoaderSettings& settings,
                                                      const std::string& data_path);

}  // namespace fx
