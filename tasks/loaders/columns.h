// What the columns of a table become: inputs of a network, and a target.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "plan/data_spec.h"
#include "tasks/loaders/csv_file.h"
#include "tasks/loaders/parts.h"

namespace fx {

// One column of inputs.
struct Column {
  std::string name;
  std::vector<std::string> words;  // one-hot, or empty: a number
  bool normalised = false;         // by `scale`; a missing value may then be its mean
  Normalisation scale{};
};

// The columns of a plan for a file with this header, in the order of inputs. Refuses a column that
// the plan names and the header does not have, and the label as a feature.
Result<std::vector<Column>> PlanColumns(const DataLoaderSettings& settings, const Path& path,
                                        const std::vector<std::string>& header);

// All rows: inputs before normalisation, with NaN for a missing value that is to become the mean.
Result<Samples> Encode(const DataLoaderSettings& settings, const Path& path, const CsvTable& table,
                       const std::vector<Column>& columns);

// Normalises all columns of numbers: those without a scale by mean and standard deviation of their
// training values (1 where all are alike) if the plan says so. Missing values become 0.
void Normalise(const DataLoaderSettings& settings, std::vector<Column> columns, Parts& parts);

}  // namespace fx
